"""The 76 classifiers of corpus.py: family, how each is made, and the side of its images, the smallest that suits it.

Weights are random. What a deep transformer repeats is shortened, so that a step costs little; every kind of layer stays.
"""

import timm
import torchvision
from torch import nn

CLASSES = 10


class Rows(nn.Module):
    """Reads an image row by row through a recurrent network."""

    def __init__(self, cell, side, width=48, **options):
        super().__init__()
        self.cell = cell(3 * side, width, batch_first=True, **options)
        self.head = nn.Linear(width * (2 if options.get("bidirectional") else 1), CLASSES)

    def forward(self, x):
        rows = x.permute(0, 2, 1, 3).flatten(2)
        return self.head(self.cell(rows)[0][:, -1])


class Perceptron(nn.Module):
    def __init__(self, side, width=64):
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(3 * side * side, width), nn.BatchNorm1d(width), nn.GELU(), nn.Dropout(0.1)
        )
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        return self.head(self.body(x))


def vision(name, side, **options):
    return lambda: torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options), side


def images(name, side, sized=False, **options):
    """One of timm's; `sized` for those that are told the side."""
    size = {"img_size": side} if sized else {}
    return lambda: timm.create_model(name, pretrained=False, num_classes=CLASSES, **size, **options), side


def small_vit():
    return torchvision.models.VisionTransformer(
        image_size=32, patch_size=8, num_layers=3, num_heads=4, hidden_dim=96, mlp_dim=192, num_classes=CLASSES
    )


def narrow_vgg():
    """With a head of 0.1 million weights in place of 120."""
    model = torchvision.models.vgg11_bn(weights=None)
    model.avgpool = nn.AdaptiveAvgPool2d(1)
    model.classifier = nn.Sequential(nn.Linear(512, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, CLASSES))
    return model


MODELS = {
    # Own nets.
    "mlp": (lambda: Perceptron(16), 16),
    "lstm-on-rows": (lambda: Rows(nn.LSTM, 16), 16),
    "gru-on-rows": (lambda: Rows(nn.GRU, 16, num_layers=2, bidirectional=True), 16),
    # torchvision
    "alexnet": vision("alexnet", 224),
    "resnet18": vision("resnet18", 32),
    "resnet152": vision("resnet152", 64),
    "resnext50_32x4d": vision("resnext50_32x4d", 64),
    "densenet121": vision("densenet121", 64),
    "squeezenet1_1": vision("squeezenet1_1", 64),
    "googlenet": vision("googlenet", 64, aux_logits=False, init_weights=False),
    "inception_v3": vision("inception_v3", 96, aux_logits=False, init_weights=False),
    "mobilenet_v2": vision("mobilenet_v2", 64),
    "mobilenet_v3_small": vision("mobilenet_v3_small", 64),
    "shufflenet_v2_x0_5": vision("shufflenet_v2_x0_5", 64),
    "efficientnet_b0": vision("efficientnet_b0", 64),
    "efficientnet_v2_s": vision("efficientnet_v2_s", 64),
    "regnet_y_400mf": vision("regnet_y_400mf", 64),
    "convnext_tiny": vision("convnext_tiny", 64),
    "vision_transformer": (small_vit, 32),
    "swin_t": vision("swin_t", 64),
    "swin_v2_t": vision("swin_v2_t", 64),
    # timm: convolutions
    "vgg11_bn": (narrow_vgg, 32),
    "mobilenetv4_conv_small": images("mobilenetv4_conv_small", 64),
    "convnextv2_atto": images("convnextv2_atto", 64),
    "repvgg_a0": images("repvgg_a0", 64),
    "ghostnet_050": images("ghostnet_050", 64),
    "hrnet_w18_small": images("hrnet_w18_small", 64),
    "res2net50_14w_8s": images("res2net50_14w_8s", 64),
    "resnest14d": images("resnest14d", 64),
    "skresnet18": images("skresnet18", 64),
    "legacy_seresnet18": images("legacy_seresnet18", 64),
    "ecaresnet26t": images("ecaresnet26t", 64),
    "dpn48b": images("dpn48b", 64),
    "legacy_xception": images("legacy_xception", 96),
    "inception_resnet_v2": images("inception_resnet_v2", 96),
    "nasnetalarge": images("nasnetalarge", 96, stem_size=32, channel_multiplier=2, num_features=1056),
    "dla46_c": images("dla46_c", 64),
    "cspresnet50": images("cspresnet50", 64),
    "tresnet_m": images("tresnet_m", 64),
    "eca_nfnet_l0": images("eca_nfnet_l0", 64),
    "rexnet_100": images("rexnet_100", 64),
    "resnetv2_50x1_bit": images("resnetv2_50x1_bit", 64),
    "starnet_s1": images("starnet_s1", 64),
    "repvit_m0_9": images("repvit_m0_9", 64),
    "mobileone_s0": images("mobileone_s0", 64),
    # timm: attention among convolutions
    "botnet26t_256": images("botnet26t_256", 64, sized=True),
    "halonet26t": images("halonet26t", 256),
    "lambda_resnet26t": images("lambda_resnet26t", 64, sized=True),
    "levit_128s": images("levit_128s", 64, sized=True),
    "visformer_tiny": images("visformer_tiny", 64, sized=True),
    "efficientformer_l1": images("efficientformer_l1", 224),
    "edgenext_xx_small": images("edgenext_xx_small", 64),
    "mobilevit_xxs": images("mobilevit_xxs", 64),
    "fastvit_t8": images("fastvit_t8", 64),
    "tiny_vit_5m_224": images("tiny_vit_5m_224", 224),
    "ese_vovnet19b_dw": images("ese_vovnet19b_dw", 64),
    "caformer_s18": images("caformer_s18", 64),
    "poolformer_s12": images("poolformer_s12", 64),
    # timm: transformers and mixers
    "vit_tiny_patch16_224": images("vit_tiny_patch16_224", 64, sized=True, depth=4),
    "deit_tiny_distilled_patch16_224": images("deit_tiny_distilled_patch16_224", 64, sized=True, depth=4),
    "gcresnext26ts": images("gcresnext26ts", 64),
    "cait_xxs24_224": images("cait_xxs24_224", 64, sized=True, depth=4),
    "xcit_nano_12_p16_224": images("xcit_nano_12_p16_224", 64, sized=True, depth=4),
    "crossvit_tiny_240": images("crossvit_tiny_240", 240),
    "coat_lite_tiny": images("coat_lite_tiny", 64, sized=True),
    "pvt_v2_b0": images("pvt_v2_b0", 64),
    "mixer_s16_224": images("mixer_s16_224", 64, sized=True),
    "resmlp_12_224": images("resmlp_12_224", 64, sized=True),
    "gmlp_ti16_224": images("gmlp_ti16_224", 64, sized=True),
    "volo_d1_224": images("volo_d1_224", 64, sized=True),
    "tnt_s_patch16_224": images("tnt_s_patch16_224", 64, sized=True, depth=4),
    "selecsls42b": images("selecsls42b", 64),
    "davit_tiny": images("davit_tiny", 64),
    "focalnet_tiny_srf": images("focalnet_tiny_srf", 64),
    "hardcorenas_a": images("hardcorenas_a", 64),
    "eva02_tiny_patch14_224": images("eva02_tiny_patch14_224", 56, sized=True, depth=4),
}
