"""What a notebook shows: small tables and pictures, and an output that is drawn again in its place."""
