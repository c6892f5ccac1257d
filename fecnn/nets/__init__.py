"""Neural decoders as torch modules; importing this package imports torch."""
