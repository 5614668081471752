"""The pages in a browser, which is closed when this package is done."""
