"""The fast forms equal the plain ones, and every pair is adjoint."""

import pytest
import torch
import torch.nn.functional as F

from napari_decsc.deq.model.convolution import analyse, conv_3d, synthesise, synthesise_bands
from napari_decsc.deq.model.dictionaries import BandDictionary, UnsharedDictionary
from napari_decsc.deq.model.frames import lapped_orthogonal

torch.manual_seed(0)


@pytest.mark.parametrize(("taps", "stride"), [(8, 4), (4, 2), (6, 2)])
def test_synthesis_is_the_transposed_convolution(taps, stride):
    maps, filters = torch.randn(2, 5, 6, 7), torch.randn(5, 3, taps, taps)
    plain = F.conv_transpose2d(maps, filters, stride=stride, padding=(taps - stride) // 2)
    torch.testing.assert_close(synthesise(maps, filters, stride), plain, rtol=1e-4, atol=1e-4)


def test_synthesis_along_the_bands_is_the_transposed_3d_convolution():
    images, bands = 2, 5
    maps, filters = torch.randn(images * bands, 4, 3, 3), torch.randn(4, 3, 8, 8)
    volume = maps.view(images, bands, 4, 3, 3).transpose(1, 2)
    plain = F.conv_transpose3d(volume, filters[:, None], stride=(1, 4, 4), padding=(1, 2, 2))[:, 0]
    torch.testing.assert_close(synthesise_bands(maps, filters, 4, images), plain, rtol=1e-4, atol=1e-4)


def test_the_3d_convolution_is_the_plain_one():
    images, bands = 2, 5
    maps, kernel, bias = torch.randn(images * bands, 4, 6, 6), torch.randn(3, 4, 3, 3, 3), torch.randn(3)
    volume = maps.view(images, bands, 4, 6, 6).transpose(1, 2)
    plain = F.conv3d(volume, kernel, bias, padding=1).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(conv_3d(maps, kernel, images, bias), plain, rtol=1e-4, atol=1e-4)


def adjoint(forward, backward, code, cube):
    """<forward(code), cube> = <code, backward(cube)>."""
    left, right = (forward(code) * cube).sum(), (code * backward(cube)).sum()
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-2)


def test_encoding_is_the_adjoint_of_decoding():
    cube = torch.randn(2, 31, 32, 32)
    band = BandDictionary(maps=7, bands=31, taps=8, stride=4)
    unshared = UnsharedDictionary(maps=16, taps=8, stride=4)
    with torch.no_grad():
        for dictionary in (band, unshared):
            dictionary.filters.copy_(torch.randn_like(dictionary.filters))
        adjoint(band.decode, band.encode, torch.randn(2, 7, 8, 8), cube)
        adjoint(lambda H: unshared.decode(H, 2), unshared.encode, torch.randn(62, 16, 8, 8), cube)


def test_the_first_dictionary_is_a_tight_frame():
    # away from the border, decoding what was encoded gives the image back
    image = torch.randn(1, 1, 64, 64)
    inside = slice(8, -8)
    filters = lapped_orthogonal()[:, None]
    back = synthesise(analyse(image, filters, 4), filters, 4)
    torch.testing.assert_close(back[..., inside, inside], image[..., inside, inside], rtol=1e-4, atol=1e-4)


def test_the_first_shared_dictionary_is_orthonormal():
    # so that the first steps of f neither grow nor creep
    band = BandDictionary(maps=40, bands=31, taps=8, stride=4)
    band.acquaint(torch.linalg.qr(torch.randn(31, 31))[0])
    S = torch.zeros(1, 40, 12, 12)
    S[..., 4:8, 4:8] = torch.randn(1, 40, 4, 4)
    with torch.no_grad():
        torch.testing.assert_close(band.encode(band.decode(S)), S, rtol=1e-4, atol=1e-5)
