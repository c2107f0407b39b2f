"""How fast intake is: `teawatch bench intake`. Servers of its own, a county with many boxes, real processes."""
