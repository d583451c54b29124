"""One check, one file. Each has a `CHECK` that says what it is and whom it is put to; `registry` has their order."""
