#!/usr/bin/env bash
# Install the system packages that are missing, and only those. Needs root only if something is missing.
# `setup_system.sh test` adds what only the tests drive: a browser, PHP, exiftool, git.
set -euo pipefail

missing=()
have_library() { ldconfig -p 2>/dev/null | grep -q "$1" || ls /usr/lib/*/"$1"* >/dev/null 2>&1; }

command -v ffprobe >/dev/null || missing+=(ffmpeg)                            # the gate's stream inventory
have_library libGL.so.1 || missing+=(libgl1)                                  # OpenCV
have_library libgthread-2.0.so.0 || missing+=(libglib2.0-0)                   # OpenCV
have_library libEGL.so.1 || missing+=(libegl1)                                # MediaPipe
have_library libGLESv2.so.2 || missing+=(libgles2)                            # MediaPipe
have_ocr() { command -v tesseract >/dev/null && tesseract --list-langs 2>/dev/null | grep -qx "$1"; }
for language in hye rus aze; do                                               # reads text for the watch list
  have_ocr "$language" || missing+=("tesseract-ocr-$language")
done
have_ocr eng || missing+=(tesseract-ocr)
"${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)                                   # these two build the review page

if [ "${1:-}" = test ]; then
  command -v chromium >/dev/null || missing+=(chromium)                       # the review page
  command -v exiftool >/dev/null || missing+=(libimage-exiftool-perl)         # an independent reader
  command -v git >/dev/null || missing+=(git)                                 # the pre-commit hook
  command -v php >/dev/null || missing+=(php-cli)                             # the WordPress plugin
  [ -n "$(php -m 2>/dev/null | grep -x curl)" ] || missing+=(php-curl)
fi

[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ]; then
  run=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  run=(sudo -n)
else
  echo "Missing system packages: ${missing[*]}" >&2
  echo "Have them installed once, as root:  apt-get install -y ${missing[*]}" >&2
  exit 1
fi
command -v apt-get >/dev/null || { echo "Install by hand: ${missing[*]} (there is no apt-get here)." >&2; exit 1; }
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${run[@]}" apt-get update -qq
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
