"""The processor of a deployment, in the words of each service that asks for one."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_lambda as lambda_

from infra.bundling import Target

PYTHON = "3.13"


@dataclass(frozen=True)
class DeploymentArchitecture:
    """One kind of processor for functions, layers and images alike."""

    functions: lambda_.Architecture
    layers: Target
    images: ecr_assets.Platform
    tasks: str


ARCHITECTURES: Mapping[str, DeploymentArchitecture] = {
    "arm64": DeploymentArchitecture(
        lambda_.Architecture.ARM_64,
        Target(python=PYTHON, platform="aarch64-manylinux_2_28"),
        ecr_assets.Platform.LINUX_ARM64,
        "ARM64",
    ),
    "x86_64": DeploymentArchitecture(
        lambda_.Architecture.X86_64,
        Target(python=PYTHON, platform="x86_64-manylinux_2_28"),
        ecr_assets.Platform.LINUX_AMD64,
        "X86_64",
    ),
}
