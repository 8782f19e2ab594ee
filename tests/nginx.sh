# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154 # the test has $work, and looks at $nginx_pid
# nginx in front of the fleet's verifier, by the sample of examples/fleet: what it names is exchanged for what is in
# the test's directory, $work, in which the service listens at fleet.sock. Sourced; whoever does ends $nginx_pid
# on every way out.

nginx_pid=

# nginx_write SAMPLE CERTIFICATE [SED]: nginx.conf; the certificate is $work/CERTIFICATE.pem and .key. SED exchanges more,
# such as where it listens
nginx_write() {
	mkdir -p "$work/nginx"
	sed "s,/run/assay-fleet/fleet.sock,$work/fleet.sock,; s,/etc/assay/server\.,$work/$2.,; s,/etc/assay/clients.pem,$work/clients.pem,
		s,^worker_processes auto,pid $work/nginx.pid; user root; error_log $work/nginx.log; worker_processes 1,; ${3-}" \
		"$1" >"$work/nginx.conf"
}

nginx_start() {
	/usr/sbin/nginx -p "$work/nginx" -c "$work/nginx.conf" -g 'daemon off;' 2>"$work/nginx.err" &
	nginx_pid=$!
}
