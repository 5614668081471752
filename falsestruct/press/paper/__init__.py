"""The book as PDF, figures for papers."""
