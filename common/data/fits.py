"""How an image of another size comes to the size that a network takes."""

FITS = ("resize", "crop")
