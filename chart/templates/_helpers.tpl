{{- define "smarthost.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "smarthost.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "smarthost.labels" -}}
{{ include "smarthost.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "smarthost.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "smarthost.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "smarthost.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{/* The parts of the configuration that are directories. */}}
{{- define "smarthost.directories" -}}
yaml: yaml.d
postfix: postfix.d
postfix-tls: postfix.tls
opendkim: opendkim
opendkim-keys: opendkim.keys
users: users.d
{{- end }}

{{/* The Secret of a part, or nothing: (list $ "yaml") */}}
{{- define "smarthost.secret" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- $it := index $root.Values.config $part -}}
{{- $certificate := index $it "cert-manager" -}}
{{- $given := 0 -}}
{{- range list $it.existingName $it.data $certificate -}}
{{- if . -}}{{- $given = add $given 1 -}}{{- end -}}
{{- end -}}
{{- if gt (int $given) 1 -}}
{{- fail (printf "config.%s: only one of existingName, data and cert-manager" $part) -}}
{{- end -}}
{{- if $it.existingName -}}
{{- $it.existingName -}}
{{- else if $given -}}
{{- printf "%s-%s" (include "smarthost.fullname" $root) $part -}}
{{- end -}}
{{- end }}

{{/* A file's text: a map is written as YAML. */}}
{{- define "smarthost.text" -}}
{{- if kindIs "map" . -}}{{ toYaml . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end }}

{{- define "smarthost.sets" -}}
- --set
- config.admin.listen=['*:{{ .Values.admin.port }}']
{{- if .Values.service.submissions.enabled }}
- --set
- config.listen.submissions=['*:465']
{{- end }}
{{- range .Values.extraSets }}
- --set
- {{ . | quote }}
{{- end }}
{{- end }}

{{- define "smarthost.podSecurityContext" -}}
{{- $context := deepCopy .Values.podSecurityContext -}}
{{- if and .Values.unprivilegedPorts (not .Values.hostNetwork) -}}
{{- $mine := dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0" -}}
{{- $_ := set $context "sysctls" (append ($context.sysctls | default list) $mine) -}}
{{- end -}}
{{- if not $context.seccompProfile -}}
{{- $profile := dict "type" .Values.seccomp.type -}}
{{- if .Values.seccomp.localhostProfile -}}
{{- $profile = dict "type" "Localhost" "localhostProfile" .Values.seccomp.localhostProfile -}}
{{- else if eq .Values.seccomp.type "Localhost" -}}
{{- fail "seccomp.type Localhost needs seccomp.localhostProfile" -}}
{{- end -}}
{{- $_ := set $context "seccompProfile" $profile -}}
{{- end -}}
{{- toYaml $context -}}
{{- end }}
