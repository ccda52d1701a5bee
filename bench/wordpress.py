"""The WordPress plugin in a real WordPress, against a real `redact serve` with real models, over HTTP.

    python -m bench.wordpress SITE

SITE is an unpacked WordPress that nobody needs, with the SQLite drop-in (`wp-content/db.php`); it is
installed again for each run. Every way in that WordPress has is tried; what is printed is what came of it,
and the exit status is 1 if anything is not as it must be. Not part of `make test`: WordPress is not of this
repository.
"""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from bench.common import ROOT
from bench.service_lab import ServiceLab, settled, submit

PLUGIN = ROOT / "integrations" / "wordpress" / "redact-gate"
MEDIA = ROOT / "samples" / "media"
REDACT = [sys.executable, "-c", "from redact.cli import main; main()"]
CONFIG = """<?php
define( 'DB_NAME', 'site' ); define( 'DB_USER', '' ); define( 'DB_PASSWORD', '' ); define( 'DB_HOST', '' );
define( 'DB_CHARSET', 'utf8' ); define( 'DB_COLLATE', '' );
foreach ( array( 'AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT',
    'LOGGED_IN_SALT', 'NONCE_SALT' ) as $name ) { define( $name, $name . ' of a site that is thrown away' ); }
$table_prefix = 'wp_';
define( 'WP_ENVIRONMENT_TYPE', 'local' );
define( 'DISABLE_WP_CRON', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
$place = json_decode( file_get_contents( __DIR__ . '/try.json' ), true );
define( 'WP_HOME', $place['site'] ); define( 'WP_SITEURL', $place['site'] );
define( 'REDACT_GATE_ADDRESS', $place['service'] );
define( 'REDACT_GATE_TOKEN', $place['token'] );
define( 'REDACT_GATE_MODE', $place['mode'] );
define( 'REDACT_GATE_WAIT', $place['wait'] );
if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """
define( 'WP_INSTALLING', true );
require 'wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
wp_install( 'Trial', 'desk', 'desk@example.org', true, '', 'not-a-secret-here' );
$failed = activate_plugin( 'redact-gate/redact-gate.php' );
if ( is_wp_error( $failed ) ) { exit( 1 ); }
$made = WP_Application_Passwords::create_new_application_password( 1, array( 'name' => 'trial' ) );
echo $made[0];
"""
RUN = (
    "require 'wp-load.php'; require_once ABSPATH . 'wp-admin/includes/admin.php'; wp_set_current_user( 1 ); "
)


class Site:
    """A WordPress under trial."""

    def __init__(self, folder: Path, lab: ServiceLab) -> None:
        self.folder, self.lab = folder, lab
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.home = f"http://127.0.0.1:{self.port}"
        self.token = lab.token()
        self.faults = 0
        for old in ("database", "uploads"):
            shutil.rmtree(folder / "wp-content" / old, ignore_errors=True)
        plugin = folder / "wp-content" / "plugins" / "redact-gate"
        shutil.rmtree(plugin, ignore_errors=True)
        shutil.copytree(PLUGIN, plugin)
        (folder / "wp-config.php").write_text(CONFIG, encoding="utf-8")
        self.set()
        password = self.php(INSTALL)
        self.server = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{self.port}", "-t", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        self.http = httpx.Client(base_url=self.home, auth=("desk", password), timeout=120, trust_env=False)
        for _ in range(200):
            try:
                self.http.get("/")
                break
            except httpx.HTTPError:
                time.sleep(0.1)

    def set(self, mode: str = "check", wait: int = 40, token: str = "", service: str = "") -> None:
        """Change what the site's constants say."""
        place = {
            "site": self.home,
            "service": service or f"http://127.0.0.1:{self.lab.port}",
            "token": token or self.token,
            "mode": mode,
            "wait": wait,
        }
        (self.folder / "try.json").write_text(json.dumps(place), encoding="utf-8")

    def php(self, code: str) -> str:
        """Run PHP in the site's folder."""
        done = subprocess.run(
            ["php", "-d", "display_errors=stderr", "-r", code],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        if done.stderr.strip():
            print("php:", done.stderr.strip()[:400])
        return done.stdout.strip()

    def media(self, content: bytes, name: str) -> httpx.Response:
        """Upload as the block editor does."""
        return self.http.post("/?rest_route=/wp/v2/media", files={"file": (name, content)})

    def media_raw(self, content: bytes, name: str) -> httpx.Response:
        """Upload as scripts do: the body is the file."""
        head = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Type": "application/octet-stream",
        }
        return self.http.post("/?rest_route=/wp/v2/media", content=content, headers=head)

    def xmlrpc(self, content: bytes, name: str) -> httpx.Response:
        """Upload as old desktop programs do."""
        data = base64.b64encode(content).decode()
        body = (
            "<?xml version='1.0'?><methodCall><methodName>wp.uploadFile</methodName><params>"
            "<param><value><int>1</int></value></param><param><value><string>desk</string></value></param>"
            "<param><value><string>not-a-secret-here</string></value></param><param><value><struct>"
            f"<member><name>name</name><value><string>{name}</string></value></member>"
            "<member><name>type</name><value><string>image/webp</string></value></member>"
            f"<member><name>bits</name><value><base64>{data}</base64></value></member>"
            "</struct></value></param></params></methodCall>"
        )
        return self.http.post("/xmlrpc.php", content=body, headers={"Content-Type": "text/xml"})

    def post(self, **fields: Any) -> httpx.Response:
        """Write a post as the block editor does."""
        return self.http.post("/?rest_route=/wp/v2/posts", json=fields)

    def passes(self, attachment: int) -> bool:
        """Whether a pass is recorded."""
        return self.php(f"{RUN} echo get_post_meta( {attachment}, '_redact_gate_pass', true );") != ""

    def must(self, what: str, right: bool, told: str = "") -> None:
        """Print one outcome."""
        self.faults += not right
        print(f"{'as it must' if right else 'WRONG'}: {what}" + (f"  [{told}]" if told else ""))


def _told(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("message", ""))
    except ValueError:
        return answer.text[-300:].replace("\n", " ")


def trial(site: Site, finished: bytes) -> None:
    """All of it. `finished` is a file that passes; the samples are originals, which do not."""
    original = (MEDIA / "group.jpg").read_bytes()
    covered_name, original_name = "Orinakyan.webp", "Orinakyan-original.jpg"
    ids: dict[str, int] = {}
    for way in (site.media, site.media_raw):
        good, bad = way(finished, covered_name), way(original, original_name)
        site.must(f"{way.__name__}: what passed is taken", good.status_code == 201, _told(good)[:80])
        ids[way.__name__] = int(good.json()["id"]) if good.status_code == 201 else 0
        site.must(f"{way.__name__}: an original is refused", bad.status_code >= 400, _told(bad))
        site.must("no name in it", "Orinakyan" not in bad.text)
    good, bad = site.xmlrpc(finished, covered_name), site.xmlrpc(original, original_name)
    site.must("XML-RPC: what passed is taken", "<fault>" not in good.text, _told(good)[:0])
    site.must("XML-RPC: an original is refused", "<fault>" in bad.text, _told(bad)[-220:])
    site.must("a pass is recorded", site.passes(ids["media"]))
    uploads = [path for path in (site.folder / "wp-content" / "uploads").rglob("*") if path.is_file()]
    site.must("nothing of an original is in uploads", not any("original" in path.name for path in uploads))

    shown = (
        f'<!-- wp:image {{"id":{ids["media"]}}} --><img class="wp-image-{ids["media"]}"/><!-- /wp:image -->'
    )
    ok = site.post(title="t", content=shown, status="publish")
    site.must("a post with what passed is published", ok.json().get("status") == "publish", _told(ok))

    folder = site.php(f"{RUN} echo wp_upload_dir()['path'];")
    (Path(folder) / "smuggled.jpg").write_bytes(original)
    smuggled = int(
        site.php(
            f"{RUN} $p = wp_upload_dir()['path'] . '/smuggled.jpg'; "
            "echo wp_insert_attachment( array( 'post_mime_type' => 'image/jpeg', 'post_title' => 't' ), $p );"
        )
    )
    url = site.php(f"{RUN} echo wp_get_attachment_url( {smuggled} );")
    for what, fields in {
        "by id in a block": {"content": f'<!-- wp:image {{"id":{smuggled}}} --><!-- /wp:image -->'},
        "by class": {"content": f'<img class="wp-image-{smuggled}" src="x"/>'},
        "by address": {"content": f'<img src="{url}"/>'},
        "by the address of a smaller size": {"content": f'<img src="{url[:-4]}-300x200.jpg"/>'},
        "by shortcode": {"content": f'[gallery ids="{ids["media"]},{smuggled}"]'},
        "as featured image": {"content": "text", "featured_media": smuggled},
    }.items():
        for status in ("publish", "future"):
            extra = {"date": "2099-01-01T00:00:00"} if status == "future" else {}
            no = site.post(title="t", status=status, **fields, **extra)
            told = _told(no) if what.startswith("by id") and status == "publish" else ""
            site.must(f"REST, {status}: a file that came another way, {what}", no.status_code == 422, told)
        stored = site.php(
            f"{RUN} $id = wp_insert_post( wp_slash( array( 'post_title' => 't', 'post_status' => 'publish', "
            f"'_thumbnail_id' => {fields.get('featured_media', 0)}, 'post_content' => "
            f"base64_decode( '{base64.b64encode(fields['content'].encode()).decode()}' ) ) ) ); "
            "echo get_post_status( $id );"
        )
        site.must(f"wp_insert_post: a file that came another way, {what}", stored == "pending", stored)
    late = site.php(
        f"{RUN} global $wpdb; $id = wp_insert_post( wp_slash( array( 'post_title' => 't', "
        f"'post_status' => 'draft', 'post_content' => '<img class=\"wp-image-{smuggled}\"/>' ) ) ); "
        "$due = array( 'post_status' => 'future', 'post_date_gmt' => '2020-01-01 00:00:00' ); "
        "$wpdb->update( $wpdb->posts, $due, array( 'ID' => $id ) ); clean_post_cache( $id ); "
        "do_action( 'publish_future_post', $id ); $first = get_post_status( $id ); wp_publish_post( $id ); "
        "echo $first . ' ' . get_post_status( $id );"
    )
    site.must("a scheduled post, and wp_publish_post", late == "pending pending", late)
    thumb = site.php(
        f"{RUN} $id = {ok.json()['id']}; set_post_thumbnail( $id, {smuggled} ); "
        "echo get_post_thumbnail_id( $id );"
    )
    site.must("a featured image set on a public post", thumb in ("", "0"), thumb)
    (Path(folder) / "older.webp").write_bytes(finished)
    older = site.php(
        f"{RUN} $p = wp_upload_dir()['path'] . '/older.webp'; "
        "echo wp_insert_attachment( array( 'post_mime_type' => 'image/webp', 'post_title' => 't' ), $p );"
    )
    again = site.post(title="t", content=f'<img class="wp-image-{older}"/>', status="publish")
    site.must(
        "what was there before and passes is judged on the spot", again.status_code == 201, _told(again)
    )
    site.must("and its pass is recorded", site.passes(int(older)))

    site.set(mode="submit")
    made = site.media((MEDIA / "web.webp").read_bytes(), "original.webp")
    site.must("submit: the upload is replaced by the result", made.status_code == 201, _told(made)[:80])
    if made.status_code == 201:
        path = Path(site.php(f"{RUN} echo get_attached_file( {made.json()['id']} );"))
        site.must("the stored bytes are the result's", path.read_bytes() == finished, "or another encoding")
        site.must("and have a pass", site.passes(int(made.json()["id"])))
    phone = site.media((MEDIA / "phone.heic").read_bytes(), "phone.heic")
    site.must("submit: a photo of a telephone", phone.status_code == 201, str(phone.json().get("mime_type")))
    faceless = site.media((MEDIA / "no-face.jpg").read_bytes(), "no-face.jpg")
    site.must("submit: what needs a person is refused", faceless.status_code >= 400, _told(faceless))
    film = site.media((MEDIA / "rotated.mp4").read_bytes(), "film.mp4")
    site.must("submit: a film", film.status_code == 201, _told(film))

    site.set(token="redact_" + "a" * 12 + "_" + "A" * 43)
    no = site.media(finished, covered_name)
    site.must("a wrong token", no.status_code >= 400, _told(no))
    site.set(wait=1)
    no = site.media((MEDIA / "entering.mp4").read_bytes(), "long.mp4")
    site.must("slower than the wait", no.status_code >= 400, _told(no))
    site.set()
    site.lab.stop()
    no = site.media(finished, covered_name)
    site.must("the service is down", no.status_code >= 400, _told(no))
    no = site.post(title="t", content=shown, status="publish")
    site.must("what passed can be published while it is down", no.status_code == 201, _told(no))


def main() -> int:
    """`SITE`."""
    folder = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        lab = ServiceLab(Path(scratch) / "lab", pause_s=None)
        lab.start([*REDACT, "serve", "--config", str(lab.config)])
        site = Site(folder, lab)
        try:
            with lab.client(lab.token()) as client:
                job = submit(client, (MEDIA / "web.webp").read_bytes()).json()["job"]
                settled(client, job)
                finished = client.get(f"/v1/jobs/{job}/result").content
            trial(site, finished)
        finally:
            site.server.terminate()
            if lab.process is not None and lab.process.poll() is None:
                lab.stop()
    print(f"{site.faults} wrong")
    return 1 if site.faults else 0


if __name__ == "__main__":
    sys.exit(main())
