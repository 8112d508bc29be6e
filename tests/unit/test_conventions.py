"""The conventions of the dbt project, as its files keep them."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.landing import source as sources
from cdp.quality import contracts
from cdp.settings import ROOT

PREFIXES = {
    "base": ("base_",),
    "staging": ("stg_",),
    "intermediate": ("int_",),
    "marts": ("dim_", "fct_", "ftr_", "agg_"),
    "monitoring": ("mon_",),
}

# What the models of a layer may read.
READS = {
    "base": {"source", "seed"},
    "staging": {"base"},
    "intermediate": {"staging", "intermediate", "snapshot", "seed"},
    "marts": {"intermediate", "marts", "snapshot", "seed"},
    # What came is profiled before it is judged, as well as what is published.
    "monitoring": {"source", "seed", "base", "staging", "intermediate", "marts", "monitoring"},
    "snapshot": {"staging", "intermediate"},
    "macro": {"seed", "source"},
}

DEFINITION = re.compile(
    r"{%-?\s*(macro|test|snapshot|materialization)\s+(\w+)\s*(?:\((.*?)\)|,.*?)?\s*-?%}", re.DOTALL
)
REFERENCE = re.compile(r"\bref\(\s*['\"](\w+)['\"]\s*\)")
SOURCE = re.compile(r"\bsource\(\s*['\"](\w+)['\"]\s*,\s*['\"](\w+)['\"]\s*\)")


BATCHES = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]["batches"]


@dataclass(frozen=True)
class Sql:
    """A file of SQL: a model, a snapshot or a macro. Comments are not part of its text."""

    path: Path
    layer: str

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def text(self) -> str:
        text = re.sub(r"{#.*?#}", "", self.path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"--.*", "", text)
        # A table of each source, where a model loops over all of them.
        each = (f"ref('stg_{source.replace('.', '_')}__rejected')" for source in BATCHES)
        computed = "ref('stg_' ~ source_name.replace('.', '_') ~ '__rejected')"
        return text.replace(computed, " ".join(each))

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def layer(path: Path) -> str:
    """The layer of a model by its folder; base models stand in a folder of their own."""
    parts = path.relative_to(ROOT / "models").parts
    return "base" if "base" in parts[:-1] else parts[0]


def entries(folder: str, kind: str) -> dict[str, tuple[Path, dict[str, Any]]]:
    """What the YAML files of a folder say about its models, seeds or macros, by name."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    for path in sorted((ROOT / folder).rglob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8")).get(kind, []):
            assert entry["name"] not in found, f"{entry['name']} has two entries"
            found[entry["name"]] = (path, entry)
    return found


def undescribed(entry: dict[str, Any], parts: str) -> Iterator[str]:
    """The names of what has no description, the entry and its columns or arguments."""
    for each in (entry, *entry.get(parts, [])):
        description = str(each.get("description") or "").strip()
        block = re.fullmatch(r"{{ doc\('(\w+)'\) }}", description)
        if not description or (block and not DOCS.get(block[1])):
            yield each["name"]


def _definitions(macro: Sql) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = DEFINITION.findall(macro.text)
    return found


MODELS = [Sql(p, layer(p)) for p in sorted((ROOT / "models").rglob("*.sql"))]
MARTS = [m for m in MODELS if m.layer == "marts"]
SNAPSHOTS = [Sql(p, "snapshot") for p in sorted((ROOT / "snapshots").rglob("*.sql"))]
GENERIC_TESTS = ROOT / "tests" / "data" / "generic"
MACROS = [
    Sql(p, "macro")
    for folder in (ROOT / "macros", GENERIC_TESTS)
    for p in sorted(folder.rglob("*.sql"))
]
SEEDS = sorted((ROOT / "seeds").rglob("*.csv"))
CONTRACTS = sorted((ROOT / "contracts").glob("*/*.yml"))
MODEL_ENTRIES = entries("models", "models")
SEED_ENTRIES = entries("seeds", "seeds")
MACRO_ENTRIES = {
    path.parent: {e["name"]: e for e in yaml.safe_load(path.read_text(encoding="utf-8"))["macros"]}
    for path in sorted((ROOT / "macros").rglob("macros.yml"))
}
DOCS = {
    name: text.strip()
    for path in sorted((ROOT / "models").rglob("*.md"))
    for name, text in re.findall(
        r"{% docs (\w+) %}(.*?){% enddocs %}", path.read_text(encoding="utf-8"), re.DOTALL
    )
}
LAYERS = {
    **{m.name: m.layer for m in MODELS},
    **{s.stem: "seed" for s in SEEDS},
    **{name: "snapshot" for s in SNAPSHOTS for _, name, _ in _definitions(s)},
    **dict.fromkeys(entries("snapshots", "snapshots"), "snapshot"),
}

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: str(m.name))
each_spelled_out = pytest.mark.parametrize(
    "model", [m for m in MODELS if "{% for" not in m.text], ids=lambda m: str(m.name)
)
each_mart = pytest.mark.parametrize("mart", MARTS, ids=lambda m: str(m.name))
each_macro = pytest.mark.parametrize("macro", MACROS, ids=str)
each_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda p: str(p.stem))


def test_there_are_files_of_every_kind() -> None:
    """Else the tests below would pass for want of anything to test."""
    assert {m.layer for m in MODELS} == set(PREFIXES)
    assert MACROS
    assert SEEDS
    assert CONTRACTS
    assert DOCS


# Descriptions and owners.


@each_model
def test_model_is_described_with_its_columns_in_a_file_of_its_own(model: Sql) -> None:
    path, entry = MODEL_ENTRIES[model.name]
    assert path == model.path.with_suffix(".yml")
    assert list(undescribed(entry, "columns")) == []
    names = [column["name"] for column in entry["columns"]]
    assert names
    assert len(names) == len(set(names))


@each_model
def test_model_has_an_owner(model: Sql) -> None:
    _, entry = MODEL_ENTRIES[model.name]
    assert entry["config"]["meta"]["owner"]


@each_spelled_out
def test_columns_that_the_model_selects_last_are_those_described(model: Sql) -> None:
    """Models with loops are left out: their columns are known when dbt has run them."""
    final = re.search(r"select\s+\*\s+from\s+(\w+)\s*$", model.text)
    assert final, "a model ends with: select * from the last of its queries"
    body = re.search(rf"\b{final[1]} as \(\s*select\b(.*?)\n    from ", model.text, re.DOTALL)
    assert body
    selected = {
        words[-1] for part in _top_level(body[1]) if (words := re.split(r"[\s.]+", part.strip()))
    }
    # An upsert's flag of deletes is not a column of the table, nor that of a truncation.
    flags = re.findall(r"'upsert'.*?deleted_flag='(\w+)'", model.text, re.DOTALL)
    kept = selected - {*flags, *re.findall(r"truncated_flag='(\w+)'", model.text)}
    assert kept == {c["name"] for c in MODEL_ENTRIES[model.name][1]["columns"]}


def _top_level(columns: str) -> list[str]:
    """The columns of a select, parted at the commas outside of brackets."""
    parts, depth = [""], 0
    for character in columns:
        depth += (character in "({") - (character in ")}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return parts


@each_seed
def test_seed_has_an_owner_and_is_described_with_exactly_its_columns(seed: Path) -> None:
    _, entry = SEED_ENTRIES[seed.stem]
    assert entry["config"]["meta"]["owner"]
    assert list(undescribed(entry, "columns")) == []
    with seed.open(encoding="utf-8", newline="") as f:
        heading = next(csv.reader(f))
    assert [column["name"] for column in entry["columns"]] == heading


@pytest.mark.parametrize(
    "macro",
    [m for m in MACROS if m.path.parent != GENERIC_TESTS and "materialization_" not in m.name],
    ids=str,
)
def test_macro_is_described_with_exactly_its_arguments(macro: Sql) -> None:
    ((_, name, arguments),) = _definitions(macro)
    entry = MACRO_ENTRIES[macro.path.parent][name]
    assert list(undescribed(entry, "arguments")) == []
    declared = [a.split("=")[0].strip() for a in arguments.split(",") if a.strip()]
    assert [a["name"] for a in entry.get("arguments", [])] == declared


def test_every_macro_of_this_project_is_applied_to_seeds() -> None:
    """Or by one that is. Materializations are, wherever a model is built."""
    tests = ROOT / "tests" / "macros"
    files = [*tests.rglob("*.sql"), tests / "dbt_project.yml", ROOT / "tests/engine/test_macros.py"]
    ours = {m.name: m for m in MACROS if m.path.parent == ROOT / "macros"}
    # Found by name: the words that macros/iceberg asks of a project, and those of a model's own.
    used = {name for name in ours if name.startswith("default__")}
    for path in (tests / "models").glob("*.sql"):
        used |= {f"{kind}_{path.stem}" for kind in ("marks_of", "is_behind")} & set(ours)
    text = "".join(p.read_text(encoding="utf-8") for p in files)
    text += "".join(ours[name].text for name in used)
    while new := (set(re.findall(r"\w+", text)) & set(ours)) - used:
        used |= new
        text = "".join(ours[name].text for name in new)
    assert {name for name in ours if not name.startswith("materialization_")} <= used


def test_every_entry_describes_something_that_there_is() -> None:
    macros = {m.path for m in MACROS}
    assert set(MODEL_ENTRIES) == {m.name for m in MODELS}
    assert set(SEED_ENTRIES) == {s.stem for s in SEEDS}
    for folder, found in MACRO_ENTRIES.items():
        assert {folder / f"{name}.sql" for name in found} <= macros


def test_every_shared_description_is_used() -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "models").rglob("*.yml"))
    used = set(re.findall(r"doc\('(\w+)'\)", text))
    assert used == set(DOCS)


def test_every_source_has_its_raw_table_described() -> None:
    tables = {
        f"{group['schema']}.{table['name']}": table
        for path in sorted((ROOT / "models").rglob("*__sources.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in group["tables"]
    }
    found = sources.read_all(ROOT / "sources").values()
    raw = {name for name in tables if name.startswith("raw.")}
    assert raw == {source.raw_table for source in found}
    for table in tables.values():
        assert list(undescribed(table, "columns")) == []


# Names and places.


@each_model
def test_name_of_a_model_starts_with_its_layer(model: Sql) -> None:
    assert model.name.startswith(PREFIXES[model.layer])


@each_macro
def test_macro_stands_alone_in_a_file_of_its_name_and_tests_in_their_folder(macro: Sql) -> None:
    ((kind, name, _),) = _definitions(macro)
    assert macro.name == (f"materialization_{name}" if kind == "materialization" else name)
    folders = {GENERIC_TESTS}
    if kind != "test":
        folders = {ROOT / "macros", ROOT / "macros" / "iceberg"}
    assert macro.path.parent in folders


def test_the_macros_of_iceberg_know_nothing_of_this_project() -> None:
    """They name what they call by their own package, so that others can install them."""
    own = {m.name for m in MACROS if m.path.parent.name == "iceberg"}
    ours = {m.name for m in MACROS} - own
    for macro in MACROS:
        if macro.path.parent.name != "iceberg":
            continue
        assert not REFERENCE.findall(macro.text)
        assert not SOURCE.findall(macro.text)
        calls = set(re.findall(r"(?<![\w.])(\w+)\(", macro.text))
        assert not calls & ours
        bare = calls & {n for n in own if not n.startswith(("spark__", "materialization_"))}
        assert bare <= {macro.name}


# Layers.


@pytest.mark.parametrize("file", [*MODELS, *SNAPSHOTS, *MACROS], ids=str)
def test_no_layer_is_skipped(file: Sql) -> None:
    read = {name: LAYERS.get(name) for name in REFERENCE.findall(file.text)}
    read |= {".".join(pair): "source" for pair in SOURCE.findall(file.text)}
    wrong = {name: kind for name, kind in read.items() if kind not in READS[file.layer]}
    assert not wrong, f"a file of {file.layer} reads {wrong}"
    if file.layer in PREFIXES:
        assert read, "a model reads something"


@pytest.mark.parametrize("file", [*MODELS, *SNAPSHOTS, *MACROS], ids=str)
def test_tables_are_named_by_ref_and_source_alone(file: Sql) -> None:
    """Else dbt, and the test above, would not know of them."""
    assert len(re.findall(r"\b(?:ref|source)\(", file.text)) == len(
        REFERENCE.findall(file.text) + SOURCE.findall(file.text)
    )
    layers = "lake|raw|staging|intermediate|marts|monitoring|seeds|snapshots"
    assert not re.findall(rf"\b(?:from|join)\s+`?(?:{layers})`?\.\S+", file.text, re.IGNORECASE)


# Contracts.


@each_mart
def test_mart_has_a_contract_of_exactly_the_columns_described(mart: Sql) -> None:
    path = ROOT / "contracts" / "marts" / f"{mart.name}.yml"
    contract = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert contract["dataset"] == f"lakehouse/lake/marts/{mart.name}"
    columns = [column["name"] for column in contract["columns"]]
    assert len(columns) == len(set(columns))
    assert set(columns) == {c["name"] for c in MODEL_ENTRIES[mart.name][1]["columns"]}
    assert all(column.get("data_type") for column in contract["columns"])
    assert "schema" in {name for check in contract["checks"] for name in check}


def test_every_contract_is_of_a_mart_or_of_a_source() -> None:
    marts = {f"marts/{m.name}.yml" for m in MARTS}
    raw = {
        f"{source.raw_table.replace('.', '/')}.yml"
        for source in sources.read_all(ROOT / "sources").values()
    }
    assert {f"{p.parent.name}/{p.name}" for p in CONTRACTS} == marts | raw


@pytest.mark.parametrize("mart", [m for m in MARTS if "partition_by" in m.text], ids=str)
def test_the_contract_of_a_partitioned_mart_is_checked_of_what_is_new(mart: Sql) -> None:
    text = (ROOT / "contracts" / "marts" / f"{mart.name}.yml").read_text(encoding="utf-8")
    assert contracts.NEW_ROWS in text
