"""Which structure did a given network learn?"""
