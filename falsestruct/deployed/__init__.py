"""Networks that people use, as they are shipped, and files whose truth a parser knows."""
