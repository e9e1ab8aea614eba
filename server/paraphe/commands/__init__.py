"""What `paraphe` can be told to do: one module for each group of commands, which adds them to the parser."""
