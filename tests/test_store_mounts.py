"""A store on a network filesystem is refused; local ones, virtual machines' included, are not."""

from pathlib import Path

import pytest

from stages.errors import BadInput
from stages.teacher import store_mounts
from stages.teacher.store import ResponseStore
from stages.teacher.store_mounts import network_mount

LINES = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:50 / /home rw,relatime shared:9 master:2 - nfs4 server:/home rw,vers=4.2,addr=10.0.0.1
41 40 254:1 / /home/me/local\\040disk rw - xfs /dev/vdb rw
42 27 0:51 / /mnt/share rw - {kind} source {options}
"""

NETWORKED = """
nfs nfs4 cifs smb3 afs ceph lustre gpfs beegfs glusterfs ocfs2
fuse.glusterfs fuse.sshfs fuse.s3fs fuse.gcsfuse fuse.rclone
"""
LOCAL = """
ext4 xfs btrfs zfs tmpfs ramfs overlay virtiofs vboxsf fuseblk nfsd
fuse fuse.fuse-overlayfs fuse.bindfs fuse.encfs
"""


def mount(path, kind="tmpfs", options="rw"):
    return network_mount(Path(path), LINES.format(kind=kind, options=options))


@pytest.mark.parametrize("kind", NETWORKED.split())
def test_networked_kinds_are_named(kind):
    found = mount("/mnt/share/deep/s.sqlite", kind)
    assert (found.kind, found.place) == (kind, "/mnt/share")


@pytest.mark.parametrize("kind", LOCAL.split())
def test_local_kinds_are_not(kind):
    assert mount("/mnt/share/s.sqlite", kind) is None


@pytest.mark.parametrize(
    ("options", "networked"),
    [
        ("rw,trans=virtio,version=9p2000.L", False),
        ("rw,trans=fd,rfd=4,wfd=4", False),
        ("rw", False),
        ("rw,trans=tcp,port=564", True),
        ("rw,trans=rdma", True),
    ],
)
def test_9p_counts_by_its_transport(options, networked):
    assert (mount("/mnt/share/s.sqlite", "9p", options) is not None) == networked


def test_the_innermost_mount_decides_and_a_name_is_not_a_folder():
    assert mount("/home/me/s.sqlite").kind == "nfs4"
    assert mount("/home/me/local disk/s.sqlite") is None
    assert mount("/homes/s.sqlite") is None
    assert mount("/elsewhere/s.sqlite") is None
    stacked = LINES.format(kind="nfs", options="rw") + "43 42 0:52 / /mnt/share rw - ext4 /dev/vdc rw\n"
    assert network_mount(Path("/mnt/share/s.sqlite"), stacked) is None  # mounted over it


@pytest.mark.parametrize("text", ["", "\n\n", "garbage", "1 2 3 / / rw -", "1 2 3 / / rw - "])
def test_a_table_that_cannot_be_read_refuses_nothing(text):
    assert network_mount(Path("/x"), text) is None


def test_the_store_refuses_in_one_line_and_makes_no_file(tmp_path, monkeypatch):
    table = tmp_path / "mountinfo"
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    table.write_text(
        f"1 1 0:1 / / rw - ext4 /dev/vda rw\n2 1 0:2 / {tmp_path}/share rw - nfs4 server:/x rw\n"
    )
    monkeypatch.setattr(store_mounts, "MOUNTINFO", table)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(
        BadInput, match=r"on a network filesystem \(nfs4 at .*/share\).*; set SEEDBED_STORE"
    ) as caught:
        ResponseStore(tmp_path / "link" / "deep" / "s.sqlite")
    assert "\n" not in caught.value.message
    assert list((tmp_path / "share").iterdir()) == []
    ResponseStore(tmp_path / "here.sqlite").close()
    monkeypatch.setattr("sys.platform", "darwin")
    ResponseStore(tmp_path / "link" / "s.sqlite").close()
