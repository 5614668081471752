"""Problems: data with an original and a false structure, and where the two disagree."""
