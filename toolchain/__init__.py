"""The contract toolchain: derives everything derivable from `protos/` and checks that it is so."""
