{{/* The pod of a role. Takes: root, role, kind (of the workload). */}}
{{- define "larkfire.podTemplate" -}}
{{- $root := .root -}}
{{- $values := get $root.Values .role -}}
metadata:
  labels:
    {{- include "larkfire.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
    {{- with mergeOverwrite (dict) $root.Values.commonLabels $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: {{ .role }}
    {{- if $root.Values.rollOnChange }}
    {{- if not $root.Values.existingConfigMap }}
    checksum/config: {{ toYaml $root.Values.config | sha256sum }}
    {{- end }}
    checksum/secret: {{ include "larkfire.inlineSecrets" $root | sha256sum }}
    {{- end }}
    {{- with mergeOverwrite (dict) $root.Values.commonAnnotations $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "larkfire.serviceAccountName" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with include "larkfire.imagePullSecrets" $root | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "larkfire.terminationSeconds" . }}
  {{- with $values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "larkfire.spread" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with $values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    {{- include "larkfire.container" . | nindent 4 }}
    {{- with $values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "larkfire.volumes" . | nindent 4 }}
    {{- with include "larkfire.dataVolumes" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Longer than the program may take: else it is killed with requests and cards in hand. Takes: root, role. */}}
{{- define "larkfire.terminationSeconds" -}}
{{- $values := get .root.Values .role -}}
{{- $needed := add ($values.shutdownDelaySeconds | default 0) (include "larkfire.graceSeconds" .root) -}}
{{- $set := int $values.terminationGracePeriodSeconds -}}
{{- if and $set (le $set (int $needed)) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds has to be more than shutdownDelaySeconds and config.shutdown_grace together (%d)" .role (int $needed)) -}}
{{- end -}}
{{ $set | default (add $needed 15) }}
{{- end -}}

{{- define "larkfire.spread" -}}
{{- $values := get .root.Values .role -}}
{{- if $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- else if ne .role "embedded" }}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "larkfire.selectorLabels" $ | nindent 8 }}
    # During an update, so that old pods do not push the new ones onto few nodes.
    matchLabelKeys: [{{ eq $.kind "StatefulSet" | ternary "controller-revision-hash" "pod-template-hash" }}]
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "larkfire.container" -}}
{{- $root := .root -}}
{{- $values := get $root.Values .role -}}
- name: {{ .role }}
  image: {{ include "larkfire.image" $root | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [{{ eq .role "embedded" | ternary "larkfire" (printf "larkfire-%s" .role) }}]
  ports:
    {{- if ne .role "worker" }}
    - {name: http, containerPort: 8080}
    {{- end }}
    - {name: admin, containerPort: 9095}
  env:
    {{- include "larkfire.env" . | nindent 4 }}
    {{- with $values.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- range $probe := list "startupProbe" "livenessProbe" "readinessProbe" }}
  {{- with get $values $probe }}
  {{ $probe }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with $values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "larkfire.mounts" . | nindent 4 }}
    {{- with include "larkfire.dataMounts" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $values.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Takes: root, role. */}}
{{- define "larkfire.env" -}}
- {name: LARKFIRE_CONFIG, value: /etc/larkfire/config/larkfire.yaml}
{{- if ne .role "worker" }}
- {name: LARKFIRE_LISTEN, value: "0.0.0.0:8080"}
{{- end }}
- {name: LARKFIRE_ADMIN_LISTEN, value: "0.0.0.0:9095"}
{{- if ne .role "ingest" }}
- {name: LARKFIRE_DATA_DIR, value: /var/lib/larkfire}
{{- else if .root.Values.ingest.spool.enabled }}
- {name: LARKFIRE_SPOOL_DIR, value: /var/lib/larkfire/spool}
{{- end }}
{{- with (get .root.Values .role).shutdownDelaySeconds }}
# Load balancers learn that this pod goes away while it still listens.
- {name: LARKFIRE_SHUTDOWN_DELAY, value: {{ printf "%ds" (int .) }}}
{{- end }}
- {name: LARKFIRE_LOG_FORMAT, value: {{ .root.Values.logFormat | quote }}}
- {name: RUST_LOG, value: {{ .root.Values.logLevel | quote }}}
{{- range include "larkfire.secretsOf" . | fromJsonArray }}
{{- if .variable }}
- {name: {{ .variable }}_FILE, value: /etc/larkfire/secrets/{{ .file }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* The configuration, as a directory: a file that is mounted by itself (`subPath`) never changes. Takes: root, role. */}}
{{- define "larkfire.mounts" -}}
- {name: config, mountPath: /etc/larkfire/config, readOnly: true}
{{- if ne (include "larkfire.secretsOf" .) "[]" }}
- {name: secrets, mountPath: /etc/larkfire/secrets, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "larkfire.volumes" -}}
- name: config
  configMap:
    name: {{ include "larkfire.configMapName" .root }}
{{- if ne (include "larkfire.secretsOf" .) "[]" }}
- name: secrets
  projected:
    # The group may read: it is the one of podSecurityContext.fsGroup.
    defaultMode: 0440
    sources:
      {{- with include "larkfire.secretSources" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end -}}

{{- define "larkfire.dataMounts" -}}
{{- if ne .role "ingest" }}
- {name: data, mountPath: /var/lib/larkfire}
{{- else if .root.Values.ingest.spool.enabled }}
- {name: spool, mountPath: /var/lib/larkfire}
{{- end }}
{{- end -}}

{{- define "larkfire.dataVolumes" -}}
{{- $spool := .root.Values.ingest.spool -}}
{{- if eq .role "worker" }}
- name: data
  emptyDir: {sizeLimit: 1Gi}
{{- else if eq .role "embedded" }}
- name: data
  persistentVolumeClaim:
    claimName: {{ .root.Values.embedded.persistence.existingClaim | default (include "larkfire.fullname" .root) }}
{{- else if and $spool.enabled (not $spool.persistent) }}
- name: spool
  emptyDir: {sizeLimit: {{ $spool.size }}}
{{- end }}
{{- end -}}
