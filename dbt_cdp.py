"""What dbt imports when it starts, for its name begins with `dbt_`: it silences PySpark's logger.

PySpark writes each error of a query to the terminal as JSON, stack traces included, and raises it;
dbt reports what is raised.
"""

import logging

logging.getLogger("SQLQueryContextLogger").disabled = True
