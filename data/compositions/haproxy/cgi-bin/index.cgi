#!/bin/sh
# Other services are reached by their names.
printf 'Content-Type: text/plain\r\n\r\n'
echo 'proxy asks frontend:'
wget -q -T 5 -O - http://frontend:80/ || echo 'frontend does not answer'
echo 'proxy asks data:'
wget -q -T 5 -O - http://data:8080/ || echo 'data does not answer'
