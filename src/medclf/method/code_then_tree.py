"""A code learnt without labels, and then a decision tree that can be read.

A convolutional autoencoder learns to rebuild images from a code of some numbers: any body and one
linear layer make the code, a light decoder rebuilds the image, at most 32 samples wide. No label
is looked at. Then a tree or a forest is fitted to the codes (`transfer.head`); trees are printed in
the run's `tree.txt`.

Source: Kumar, Wong, Clausi. Lung Nodule Classification Using Deep Features in CT Images. Conference
on Computer and Robot Vision, 2015.
"""

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.look.views import Look, Views
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.lesson import Lesson
from medclf.method.streams import see
from medclf.method.whole_image import build as build_whole
from medclf.net.body import Dense
from medclf.net.decoder import Decoder
from medclf.net.head import Classifier, Hidden
from medclf.net.nd import layers
from medclf.net.start import initialise

EDGE = 32  # samples along each axis that are rebuilt at most: a code holds no finer ones
CELLS = 4  # along each axis that the last map of a body is pooled to


class CodeThenTree(EachView):
    """Learn to rebuild images in training; judge by the trees of the network in use.

    Args:
        network: Its embedding is the code.
        decoder: Rebuilds images from codes.
        look: What is seen of an exam.
        lesson: What the trees decide.
    """

    def __init__(self, network: Classifier, decoder: Decoder, look: Look, lesson: Lesson) -> None:
        super().__init__([network], look, lesson)
        self.decoder = decoder
        self.shrink = layers(network.body.dims).adaptive_avg_pool(decoder.sizes[-1])

    def forward(self, views: Views) -> Tensor:
        """Give errors in training, (B, V, 1), and logits in use, (B, V, outputs)."""
        return self.errors(views) if self.training else super().forward(views)

    def errors(self, views: Views) -> Tensor:
        """Give the mean squared error of each rebuilt view, (B, V, 1), NaN where none is.

        Values are standardised: the error of an image that is the mean everywhere is about 1.
        """

        def compare(network: Classifier, values: Tensor) -> Tensor:
            rebuilt, wanted = self.decoder(network.embed(values)).float(), self.shrink(values)
            error: Tensor = (rebuilt - wanted).square()
            return error.flatten(1).mean(1, keepdim=True)

        return see(self.networks, views, compare)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Average the errors; no label counts."""
        return logits.nanmean()


def build(asked: Asked, code: int = 128) -> CodeThenTree:
    """Build the method.

    Args:
        code: Numbers of a code.
    """
    if code < 1:
        raise SettingError(f"method.options.code is 1 number or more, not {code}")
    whole, dims = build_whole(asked), len(asked.size)
    network = whole.network
    network.pool = "dense"
    network.hidden = Hidden(Dense(CELLS, (code,), 0.0), network.body.features, dims)
    network.linear = nn.Linear(code, network.linear.out_features)
    decoder = Decoder(code, asked.channels, [min(edge, EDGE) for edge in asked.size])
    for part in (network.hidden, network.linear, decoder):
        initialise(part, asked.generator)
    return CodeThenTree(network, decoder, whole.seen, asked.lesson)
