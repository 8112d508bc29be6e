"""`cdp report`: one self-contained page of how the lakehouse is."""
