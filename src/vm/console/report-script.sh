# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs in the guest (see report.h): says what the kernel and the TPM tools know about the chain of trust. One line a
# fact, "KEY VALUE". Then powers off when it is told to. Expects $PORT.

exec >"$PORT" 2>/dev/null

say() {
    printf '%s\n' "$*"
}

# First byte behind the attributes of a global EFI variable.
efi_byte() {
    od -An -tu1 -j4 -N1 "/sys/firmware/efi/efivars/$1-8be4df61-93ca-11d2-aa0d-00e098032b8c" | tr -d ' '
}

# What device-mapper calls a device, or its path.
device_name() {
    device=$(readlink -f "$1")
    cat "/sys/block/${device##*/}/dm/name" || echo "$device"
}

timeout 120 systemctl is-system-running --wait >/dev/null

say begin
. /usr/lib/os-release
say os "$PRETTY_NAME${IMAGE_ID:+, $IMAGE_ID}${IMAGE_VERSION:+ $IMAGE_VERSION}"
say kernel "$(uname -r)"
say time "$(systemd-analyze time | sed -n '1s/.* = //p')"
say secure-boot "$(efi_byte SecureBoot)"
say setup-mode "$(efi_byte SetupMode)"

dmsetup table --target verity | while read -r line; do
    say verity-table "$line"
done
dmsetup status --target verity | while read -r line; do
    say verity-status "$line"
done

for device in /sys/block/dm-*; do
    uuid=$(cat "$device/dm/uuid") || continue
    case $uuid in
        CRYPT-LUKS*)
            type=${uuid#CRYPT-}
            lower=$(ls "$device/slaves" | head -n 1)
            tokens=$(systemd-cryptenroll "/dev/$lower" | sed -n '2,$s/^ *[0-9]* *//p' | tr '\n' ',')
            say luks "$(cat "$device/dm/name")" "${type%%-*}" "${tokens%,}"
            ;;
    esac
done

while read -r source target type rest; do
    case $source in
        /dev/*) say mount "$(device_name "$source")" "$target" "$type" ;;
    esac
done </proc/self/mounts
sed 1d /proc/swaps | while read -r source rest; do
    say swap "$(device_name "$source")"
done

dmesg | sed 's/^\[[^]]*\] //' | grep -E '^(secureboot: |device-mapper: verity|integrity: Loaded|ipe: |IPE |LSM: init)' |
    while read -r line; do
        say message "$line"
    done
systemctl list-units --failed --plain --no-legend --no-pager | while read -r unit rest; do
    say failed "$unit"
done
say end

# Not every system listens to the power button.
read -r answer <"$PORT"
[ "$answer" != poweroff ] || systemctl poweroff
