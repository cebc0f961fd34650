"""A device: the facts that it knows about itself.

facts   texts, files and presets → Device → Facts
"""

from __future__ import annotations

from .facts import (
    Device,
    DeviceReading,
    DeviceType,
    KernelRow,
    OsRelease,
    data_folder,
    device_types,
    families,
    find_device_type,
    kernel_rows,
    kernel_version,
    l4t_version,
    os_releases,
    read_device,
    read_os_release,
)

__all__ = [
    "Device", "DeviceReading", "DeviceType", "KernelRow", "OsRelease",
    "data_folder", "device_types", "families", "find_device_type", "kernel_rows", "kernel_version",
    "l4t_version", "os_releases", "read_device", "read_os_release",
]  # fmt: skip
