"""How others call us: one module or folder for each protocol. Faces never import each other."""
