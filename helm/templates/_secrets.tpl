{{/*
The secrets that are variables, as JSON: the name in values, the variable (its file is named by VARIABLE_FILE), and the roles that
read it. Ingest sends nothing to Feishu, but it checks that each receiver could be sent to, and so has to see webhooks and the app's secret; in
the same way a worker checks `gate.paths`, which name kinds of credentials. `deploy/check` holds this list to docs/configuration.md.
*/}}
{{- define "larkfire.secretVariables" -}}
[
  {"value": "amqpUrl", "variable": "AMQP_URL", "roles": ["ingest", "worker"]},
  {"value": "databaseUrl", "variable": "DATABASE_URL", "roles": ["worker", "embedded"]},
  {"value": "apiKeys", "variable": "API_KEYS", "roles": ["ingest", "embedded"], "isGate": true},
  {"value": "basicAuth", "variable": "BASIC_AUTH", "roles": ["ingest", "embedded"], "isGate": true},
  {"value": "hmacSecrets", "variable": "HMAC_SECRETS", "roles": ["ingest", "embedded"], "isGate": true},
  {"value": "feishuWebhookUrl", "variable": "FEISHU_WEBHOOK_URL", "roles": ["ingest", "worker", "embedded"]},
  {"value": "feishuSecret", "variable": "FEISHU_SECRET", "roles": ["worker", "embedded"]},
  {"value": "feishuAppSecret", "variable": "FEISHU_APP_SECRET", "roles": ["ingest", "worker", "embedded"]},
  {"value": "larkEncryptKey", "variable": "LARK_ENCRYPT_KEY", "roles": ["ingest", "worker", "embedded"]},
  {"value": "larkVerificationToken", "variable": "LARK_VERIFICATION_TOKEN", "roles": ["ingest", "worker", "embedded"]},
  {"value": "interactionSigningKeys", "variable": "INTERACTION_SIGNING_KEYS", "roles": ["worker", "embedded"]},
  {"value": "mysqlPassword", "variable": "MYSQL_PSWD", "roles": ["worker", "embedded"]}
]
{{- end -}}

{{/* The secrets one role is given, as JSON: `file`, and `variable` where it is one. Takes: root, role. */}}
{{- define "larkfire.secretsOf" -}}
{{- $given := list -}}
{{- $hasPaths := or .root.Values.existingConfigMap (dig "gate" "paths" dict .root.Values.config) -}}
{{- range include "larkfire.secretVariables" . | fromJsonArray -}}
{{- $secret := get $.root.Values.secrets .value -}}
{{- $reads := or (has $.role .roles) (and .isGate $hasPaths) -}}
{{- if and $reads (or $secret.existingSecret $secret.value) -}}
{{- $given = append $given (dict "file" (kebabcase .value) "variable" .variable "secret" $secret) -}}
{{- end -}}
{{- end -}}
{{- range $file, $secret := .root.Values.secrets.files -}}
{{- $given = append $given (dict "file" $file "secret" $secret) -}}
{{- end -}}
{{ $given | toJson }}
{{- end -}}

{{/* Sources of the volume with a role's secrets. Takes: root, role. */}}
{{- define "larkfire.secretSources" -}}
{{- range include "larkfire.secretsOf" . | fromJsonArray }}
- secret:
    {{- if .secret.existingSecret }}
    name: {{ .secret.existingSecret }}
    items: [{key: {{ .secret.key | quote }}, path: {{ .file | quote }}}]
    {{- else }}
    name: {{ include "larkfire.fullname" $.root }}
    items: [{key: {{ .file | quote }}, path: {{ .file | quote }}}]
    {{- end }}
{{- end }}
{{- end -}}

{{/* The chart's own Secret, from values that are written inline. Empty without any. */}}
{{- define "larkfire.inlineSecrets" -}}
{{- $inline := dict -}}
{{- range include "larkfire.secretVariables" . | fromJsonArray -}}
{{- $secret := get $.Values.secrets .value -}}
{{- if and $secret.value (not $secret.existingSecret) -}}
{{- $_ := set $inline (kebabcase .value) $secret.value -}}
{{- end -}}
{{- end -}}
{{- range $file, $secret := .Values.secrets.files -}}
{{- if not $secret.existingSecret -}}
{{- $_ := set $inline $file $secret.value -}}
{{- end -}}
{{- end -}}
{{ $inline | toJson }}
{{- end -}}
