"""The volume: 3D convolution sees it as it is, from scratch or from weights of 2D pictures.

Weights of pictures are inflated along z, or shared out among axial, coronal and sagittal planes
where `net.options` has `volume = "acs"`.

Source: Ji, Xu, Yang, Yu. 3D Convolutional Neural Networks for Human Action Recognition. IEEE TPAMI
2013; Carreira, Zisserman. Quo Vadis, Action Recognition? CVPR 2017 (inflation); Yang et al.
Reinventing 2D Convolutions for 3D Images. IEEE JBHI 2021 (ACS).
"""

from medclf.method.whole_image import build

__all__ = ["build"]
