"""What an archive keeps: a crate of the whole book, and metadata for those who deposit it."""
