"""Which filesystem holds a path, and whether it is reached over a network.

SQLite's WAL keeps its index in memory that every process maps: processes on two machines would each map their
own, and quietly overwrite one another's rows.
"""

import re
from pathlib import Path
from typing import NamedTuple

MOUNTINFO = Path("/proc/self/mountinfo")  # Linux's table of mounts; elsewhere there is none

# Kernel filesystems whose files live on another machine, or that several machines mount at once.
_KERNEL = """
acfs afs beegfs ceph cifs coda davfs gfs2 glusterfs gpfs kafs lustre mfs ncpfs nfs nfs4 ocfs2 orangefs panfs
pvfs2 smb smb2 smb3 smbfs wekafs
"""
# The same through FUSE. Other kinds of FUSE are local (fuse-overlayfs, ntfs-3g, bindfs, encfs …).
_FUSE = """
afp alluxio-fuse blobfuse blobfuse2 ceph-fuse cephfs curlftpfs davfs2 gcsfuse glusterfs goofys gvfsd-fuse
hf-mount httpfs juicefs lizardfs mfs moosefs mount-s3 mountpoint-s3 nfs quobyte rclone s3fs s3ql seaweedfs
smbnetfs sshfs
"""
_NETWORKED = frozenset([*_KERNEL.split(), *(f"fuse.{kind}" for kind in _FUSE.split())])


class Mount(NamedTuple):
    """One mount: where it is, and of what kind, such as "nfs4" or "fuse.sshfs"."""

    place: str
    kind: str
    options: str  # of the filesystem


def network_mount(path: Path, mountinfo: str) -> Mount | None:
    """Return the mount that holds `path` if it is reached over a network, else None.

    Args:
        path: absolute, without symbolic links; it need not exist.
        mountinfo: text in the format of Linux's /proc/self/mountinfo.
    """
    mount = _holding(path, mountinfo)
    return mount if mount and _networked(mount) else None


def _holding(path: Path, mountinfo: str) -> Mount | None:
    """Return the mount with the longest place that leads to `path`; of two at one place, the later."""
    found: Mount | None = None
    for line in mountinfo.splitlines():
        about, _, kind = line.partition(" - ")
        fields, last = about.split(" "), kind.split(" ")
        if len(fields) < 5 or not last[0]:
            continue
        mount = Mount(_unescaped(fields[4]), last[0], last[2] if len(last) > 2 else "")
        if path.is_relative_to(mount.place) and (found is None or len(mount.place) >= len(found.place)):
            found = mount
    return found


def _networked(mount: Mount) -> bool:
    if mount.kind == "9p":
        # Virtual machines and sandboxes use 9p for their own disk; over TCP or RDMA it is a network's.
        return re.search(r"\btrans=(tcp|rdma)\b", mount.options) is not None
    return mount.kind in _NETWORKED


def _unescaped(text: str) -> str:
    r"""Undo the kernel's octal escapes: a space in a place is written \040."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
