# What every service of the stress test runs: sh work.sh NAME. It looks at the world when it starts, writes down what it
# finds wrong, and does what plan/NAME says for this start. Builtins only where it can: 300 of these run at once.
#
# plan/NAME: a line "requires NAME...", a line "ready WAY", then one line for each start, over and over.
name=$1
cd "${0%/*}/state"
wrong() { echo "$name: $*" >>../violations; }
clock() {
    read -r up rest </proc/uptime
    clock=${up%.*}${up#*.}
}
clock

n=0
# Any of these files may be empty: it was killed while it wrote.
[ -s "$name.n" ] && read -r n <"$name.n"
n=$((n + 1))
echo $n >"$name.n"

# One process for a service: the one before must be gone. A number can come again, with another time of birth.
birth() {
    read -r stat 2>/dev/null <"/proc/$1/stat" || stat=
    set -- ${stat##*) }
    birth=${20:-}
    state=${1:-X}
}
if [ -s "$name.process" ]; then
    read -r process before <"$name.process"
    birth "$process"
    [ "$birth" = "$before" ] && [ "$state" != Z ] && wrong "start $n while process $process of start $((n - 1)) is there"
fi
birth $$
echo "$$ $birth" >"$name.process"

end=-
[ -s "$name.end" ] && read -r end <"$name.end"
: >"$name.end"
echo "$name $n $clock $end" >>../starts

exec 4<"../plan/$name"
read -r _ requires <&4
read -r _ ready <&4
for other in $requires; do
    [ -e "$other.was" ] || wrong "started before $other was ready"
done

lines=0
while read -r line <&4; do lines=$((lines + 1)); done
exec 4<"../plan/$name"
at=$(((n - 1) % lines + 3))
while [ $at -gt 0 ]; do
    read -r line <&4
    at=$((at - 1))
done
exec 4<&-
[ -e ../calm ] && case $line in *done) ;; *) line="ready stay" ;; esac

finish() {
    clock
    echo "$clock" >"$name.end"
}
text=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
set -- $line
while [ $# -gt 0 ]; do
    word=$1
    shift
    case $word in
    ready)
        : >"$name.was"
        case $ready in
        notify) echo >&3 ;;
        systemd) systemd-notify --ready ;;
        log) echo "$name is ready now" ;;
        path) : >"$name.path" ;;
        esac
        ;;
    wait) sleep "$1" && shift ;;
    flood)
        i=0
        while [ $i -lt "$1" ]; do
            echo "$text"
            i=$((i + 1))
        done
        shift
        ;;
    orphans)
        i=0
        while [ $i -lt "$1" ]; do
            (sleep "$2" &)
            i=$((i + 1))
        done
        shift 2
        ;;
    daemon)
        setsid sleep "$1" &
        shift
        ;;
    deaf) trap '' TERM INT HUP ;;
    stay) exec sleep 100000 ;;
    done)
        : >"$name.was"
        finish
        exit 0
        ;;
    exit)
        finish
        exit "$1"
        ;;
    signal)
        finish
        kill -"$1" $$
        ;;
    esac
done
