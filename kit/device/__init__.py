"""A device: the facts that it knows about itself, what is on it, and what a step does to it.

tables  device types, balenaOS releases, kernels
facts   texts, files and presets → Device → Facts
state   containers, images, volumes, networks; restarts, boots, time → State
steps   one action and its why; what it changes → effect
"""

from .facts import Device, DeviceReading, kernel_version, l4t_version, read_device, read_os_release
from .state import State
from .tables import data_folder, device_types, families, find_device_type, kernel_rows, os_releases

__all__ = [
    "Device", "DeviceReading", "State", "data_folder", "device_types", "families", "find_device_type", "kernel_rows",
    "kernel_version", "l4t_version", "os_releases", "read_device", "read_os_release",
]  # fmt: skip
