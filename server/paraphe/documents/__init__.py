"""Paper: bytes in, bytes out. Knows neither database nor network."""
