"""Publication under crashes, lost writes, failing disks, rivals and time: what goes wrong."""
