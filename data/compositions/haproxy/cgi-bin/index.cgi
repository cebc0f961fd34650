#!/bin/sh
# Other services are reached by their names. A static busybox can ask the name server and open a connection,
# but its wget cannot: nslookup and nc do the same.
ask() {
  address=$(nslookup "$1" 2>/dev/null | sed -n 's/^Address: \([0-9.]*\)$/\1/p' | head -n 1)
  echo "proxy asks $1:"
  [ -n "$address" ] && printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 "$address" "$2" | sed '1,/^\r*$/d' | grep . ||
    echo "$1 does not answer"
}
printf 'Content-Type: text/plain\r\n\r\n'
ask frontend 80
ask data 8080
