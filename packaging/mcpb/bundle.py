"""Packs the server into a bundle that a host installs in one step.

usage: bundle.py PROGRAM BUNDLE

The same program gives the same bytes: files in order, one time for all, as the tool of the format does not do it.
"""

import pathlib
import sys
import zipfile

program, bundle = map(pathlib.Path, sys.argv[1:])
here = pathlib.Path(__file__).parent
licences = ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT"]
files = {
    **{name: (here.parents[1] / name, 0o644) for name in licences},
    "manifest.json": (here / "manifest.json", 0o644),
    "server/job-manager": (program, 0o755),
}
bundle.parent.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
    for name, (path, mode) in sorted(files.items()):
        entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
        entry.create_system = 3
        entry.external_attr = (0o100000 | mode) << 16
        packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)
print(bundle)
