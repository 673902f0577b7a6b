"""A small patch at a marked point, seen by a small network: nodule or not.

The image is cut around the point when it is prepared (`prepare.crop` is "point"), so what lies in
the middle is what is judged. Any network serves; that of the paper has two layers of convolution.

Source: Lo, Lou, Lin, Freedman, Chien, Mun. Artificial Convolution Neural Network Techniques and
Applications for Lung Nodule Detection. IEEE Transactions on Medical Imaging 14, 1995.
"""

from medclf.method.whole_image import build

__all__ = ["build"]
