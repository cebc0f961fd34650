#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\n'
echo "uptime in seconds: $(cut -d ' ' -f 1 /proc/uptime)"
