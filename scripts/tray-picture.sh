#!/bin/sh
# Takes docs/tray.png: the tray's menu and a notification, on an Xfce desktop of its own that nobody sees.
# usage: scripts/tray-picture.sh
#
# The tray is the real one, built for development; what it shows is told to it, since no runtime here has a GPU.
# Needs xvfb, dbus, xfwm4, xfce4-panel, xfce4-notifyd, xdotool, imagemagick and adwaita-icon-theme.
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
    . scripts/env.sh
    cargo build -q -p moorline-app >&2
    home=$(mktemp -d)
    trap 'rm -rf "$home"' EXIT
    mkdir -p "$home/run" "$home/.config/xfce4/xfconf/xfce-perchannel-xml"
    chmod 700 "$home/run"
    cat > "$home/.config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml" <<XML
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="double" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray">
      <property name="icon-size" type="int" value="22"/>
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
XML
    # In the lower right corner, away from the menu.
    cat > "$home/.config/xfce4/xfconf/xfce-perchannel-xml/xfce4-notifyd.xml" <<XML
<channel name="xfce4-notifyd" version="1.0">
  <property name="notify-location" type="uint" value="3"/>
  <property name="initial-opacity" type="double" value="1.0"/>
</channel>
XML
    unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY
    export HOME="$home" XDG_RUNTIME_DIR="$home/run" XDG_CONFIG_HOME="$home/.config" XDG_CURRENT_DESKTOP=XFCE
    export XDG_DATA_HOME="$home/data" XDG_STATE_HOME="$home/state" XDG_CACHE_HOME="$home/cache" NO_AT_BRIDGE=1
    xvfb-run -a -s '-screen 0 800x360x24' dbus-run-session -- scripts/tray-picture.sh inside > "$home/log" 2>&1 ||
        { cat "$home/log" >&2; exit 1; }
    cp "$home/tray.png" docs/tray.png
    exit
fi

owned() {
    dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner "string:$1" |
        grep -q true
}
until_owned() {
    for _ in $(seq 100); do owned "$1" && return; sleep 0.1; done
    echo "$1 never appeared" >&2
    exit 1
}

# It paints the ground, and says that it failed.
display -size 800x360 -window root 'xc:#3b5b7a' || true
xfwm4 --compositor=off > /dev/null & parts=$!
xfce4-panel --disable-wm-check > /dev/null & parts="$parts $!"
until_owned org.kde.StatusNotifierWatcher
/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd > /dev/null & parts="$parts $!"
until_owned org.freedesktop.Notifications

mkfifo "$HOME/told"
target/debug/moorline-tray --feed < "$HOME/told" > /dev/null & parts="$parts $!"
tray=$!
trap 'kill $parts' EXIT
exec 3> "$HOME/told"
until_owned "org.kde.StatusNotifierItem-$tray-1"
now=$(date -u +%Y-%m-%dT%H:%M:%SZ) ends=$(date -u -d '+7 hours 41 minutes' +%Y-%m-%dT%H:%M:%SZ)
cat >&3 <<JSON
{"snapshot":{"light":"attention","starts_at_login":true,"sessions":[{"name":"colab","link":"ngrok","endpoint":"4.tcp.eu.ngrok.io:15873","health":{"state":"online","since":"$now"},"state":"online","vitals":{"gpus":[{"name":"Tesla T4","memory":{"used":9878424780,"total":16106127360},"load":97}],"memory":{"used":4402341478,"total":13613707264},"disk":{"used":41983000000,"total":120990000000}},"ends":"$ends","last_editor":"vscode","editors":["vscode","pycharm","terminal"],"password_only":false,"has_notebook":true,"action":null},{"name":"trainer","link":"relay","endpoint":"127.0.0.1:7423","health":{"state":"down","cause":{"kind":"tunnel-down"},"since":"$now"},"state":"down: its tunnel is gone, the machine may still run","last_editor":"pycharm","editors":["vscode","pycharm","terminal"],"password_only":false,"has_notebook":true,"action":"open-notebook"}]}}
{"notify":{"slot":"trainer","kind":"dropped","sessions":["trainer"],"title":"trainer dropped: its tunnel is gone, the machine may still run","body":"Open notebook.","actions":[{"open-notebook":"trainer"}]}}
JSON
# A panel paints an icon, and a menu, in its own time.
sleep 3
xdotool mousemove 784 16 click 3
sleep 1
xdotool mousemove 560 49 click 1
sleep 1
import -window root png:"$HOME/whole.png"
convert "$HOME/whole.png" -strip -colors 255 "png8:$HOME/tray.png"
