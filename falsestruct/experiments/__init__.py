"""The experiments of the chapters: problems, training and measures put together; tables out."""
