# Sourced: images of nothing but Debian's packages, for machines that reach no registry of images.

export BUILDAH_ISOLATION=chroot

# NAME SUITE VARIANT PACKAGES [OPTION…]: makes the image unless it is there; the options are those of `buildah config`.
# The variant `extract` leaves out the shell and all that configures packages; `minbase` is a small Debian.
debian_image() {
  local name=$1 suite=$2 variant=$3 packages=$4 root container
  shift 4
  if buildah inspect --type image "$name" >/dev/null 2>&1; then return; fi
  echo "== $name: $packages"
  root=$(mktemp --suffix=.tar)
  mmdebstrap --quiet --mode=root --variant="$variant" --include="$packages" "$suite" "$root"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$root" / >/dev/null
  rm "$root"
  if [ "$#" -gt 0 ]; then buildah config "$@" "$container"; fi
  buildah commit --quiet --rm "$container" "$name" >/dev/null
}
