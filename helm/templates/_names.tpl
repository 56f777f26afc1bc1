{{- define "larkfire.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* At most 52 letters: "-ingest", "-worker" and what Kubernetes appends to a StatefulSet's pods come after it. */}}
{{- define "larkfire.fullname" -}}
{{- $name := include "larkfire.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* The name of a role's workload. Takes: root, role. */}}
{{- define "larkfire.workload" -}}
{{- $fullname := include "larkfire.fullname" .root -}}
{{ eq .role "embedded" | ternary $fullname (printf "%s-%s" $fullname .role) }}
{{- end -}}

{{/* What pods are selected by. Takes: root, role. */}}
{{- define "larkfire.selectorLabels" -}}
app.kubernetes.io/name: {{ include "larkfire.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* Takes: root, and role where the object belongs to one. */}}
{{- define "larkfire.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "larkfire.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .role }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The metadata of an object. Takes: root, name; role, labels, annotations where there are any. */}}
{{- define "larkfire.metadata" -}}
{{- $annotations := mergeOverwrite (dict) .root.Values.commonAnnotations (.annotations | default dict) -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "larkfire.labels" (dict "root" .root "role" .role) | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "larkfire.image" -}}
{{- $image := .Values.image -}}
{{- with .Values.global.imageRegistry | default $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{- define "larkfire.imagePullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.imagePullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "larkfire.serviceAccountName" -}}
{{- $account := .Values.serviceAccount -}}
{{- if $account.name }}{{ $account.name }}{{ else if $account.create }}{{ include "larkfire.fullname" . }}{{ else }}default{{ end -}}
{{- end -}}

{{- define "larkfire.configMapName" -}}
{{ .Values.existingConfigMap | default (include "larkfire.fullname" .) }}
{{- end -}}

{{/* The roles that run in this mode, as a list. */}}
{{- define "larkfire.roles" -}}
{{ eq .Values.mode "embedded" | ternary (list "embedded") (list "ingest" "worker") | toJson }}
{{- end -}}
