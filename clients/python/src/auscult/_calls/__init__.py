"""The calls of `auscult.Client`, a file for each of the contract's nouns."""
