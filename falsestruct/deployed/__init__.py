"""Networks that people use, as they are shipped, and inputs about which a parser knows the truth."""
