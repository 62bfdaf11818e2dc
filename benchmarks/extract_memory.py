"""Peak memory and speed of `extract` on a dump and on the same dump ten times as long.

python benchmarks/extract_memory.py [--pages 500]
"""

import bz2
import subprocess
import sys
import tempfile
from pathlib import Path

import click

RUN = """
import resource, sys, time
from stages.extract import main
begin = time.process_time()
main(["--dump", sys.argv[1], "--out", sys.argv[2]], standalone_mode=False)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.process_time() - begin, peak)
"""


def article(number: int) -> str:
    """Return wikitext of about 7 kB with what articles have: infobox, links, references, lists."""
    cited = (
        f"The '''river {number}''' rises at {{{{convert|{number % 3000}|m|ft}}}} near [[Town|a town]]."
        f"<ref name='r'>{{{{cite web|url=http://a.org/{number}|title=The river {number}}}}}</ref> "
    )
    plain = (
        "It flows through [[Valley|the ''old'' valley]] to the [[Sea]], where ships have landed for ages. "
    )
    box = f"{{{{Infobox river|name=River {number}|length={{{{convert|{number}|km|mi}}}}|mouth=[[Sea]]}}}}\n"
    section = f"{cited}{plain * 10}\n\n* [[Bridge {number}]]\n* [[Dam {number}]]\n\n== Section ==\n"
    return f"{box}{section * 6}{plain}\n[[Category:Rivers]]".replace("&", "&amp;").replace("<", "&lt;")


def write_dump(path: Path, pages: int) -> None:
    """Write a bzip2 export of `pages` articles and twice as many redirects."""
    with bz2.open(path, "wt", encoding="utf-8") as dump:
        dump.write('<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/">')
        for n in range(3 * pages):
            text = article(n) if n % 3 == 0 else f"#REDIRECT [[River {n - n % 3}]]"
            title = f"River {n}" if n % 3 == 0 else f"Stream {n}"
            dump.write(f"<page><title>{title}</title><ns>0</ns><id>{n + 1}</id><revision><id>1</id>")
            dump.write(f"<text>{text}</text></revision></page>")
        dump.write("</mediawiki>")


@click.command()
@click.option("--pages", default=500, show_default=True, help="Articles of the short dump; 7 kB each.")
def main(pages: int) -> None:
    """Print speed per processor second and peak resident memory for PAGES and ten times PAGES articles."""
    click.echo(f"{'articles':>10} {'pages/s':>8} {'peak MiB':>9}")
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            dump = Path(folder) / "dump.xml.bz2"
            write_dump(dump, pages * times)
            command = [sys.executable, "-c", RUN, str(dump), str(Path(folder) / "articles")]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds, peak = map(float, done.stdout.split("\n")[-2].split())
        click.echo(f"{pages * times:>10,} {pages * times / seconds:>8.0f} {peak:>9.0f}")


if __name__ == "__main__":
    main()
