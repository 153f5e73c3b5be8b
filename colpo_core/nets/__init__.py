"""Nets: SegNet, the ResNets, the fourth channel, checkpoints."""
