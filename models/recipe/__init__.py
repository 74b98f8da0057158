"""The recipe of Auscult's default model: synthetic speech in, a small Whisper out."""
