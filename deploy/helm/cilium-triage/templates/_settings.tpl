{{- /* Variables of a map of settings; a list of names is separated by commas, anything else that is no text is JSON. */ -}}
{{- define "cilium-triage.settings" -}}
{{- range $key, $value := . }}
{{- if not (or (kindIs "invalid" $value) (and (kindIs "slice" $value) (empty $value))) }}
- name: {{ if eq $key "slackApiUrl" }}SLACK_API_URL{{ else }}CILIUM_TRIAGE_{{ $key | snakecase | upper }}{{ end }}
  {{- if kindIs "string" $value }}
  value: {{ $value | quote }}
  {{- else if and (kindIs "slice" $value) (kindIs "string" (first $value)) }}
  value: {{ join "," $value | quote }}
  {{- else }}
  value: {{ $value | toJson | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* One variable of a Secret: the root, the variable, the entry of `secrets`, whether it may be missing. */ -}}
{{- define "cilium-triage.secret" -}}
{{- $root := index . 0 -}}
{{- $entry := index $root.Values.secrets (index . 2) }}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ default $root.Values.secrets.existingSecret $entry.name }}
      key: {{ $entry.key }}
      {{- if index . 3 }}
      optional: true
      {{- end }}
{{- end -}}

{{- /* REDIS_URL. */ -}}
{{- define "cilium-triage.redis" -}}
{{- if .Values.redis.embedded.enabled }}
{{- include "cilium-triage.secret" (list . "REDIS_PASSWORD" "redisPassword" false) }}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "cilium-triage.fullname" . }}-redis:6379/0
{{- else }}
{{- include "cilium-triage.secret" (list . "REDIS_URL" "redisUrl" false) }}
{{- end }}
{{- end -}}

{{- /* What a process listens with for Prometheus. */ -}}
{{- define "cilium-triage.metricsPort" -}}
{{- with get .Values.settings.common "metricsPort" }}
- name: metrics
  containerPort: {{ . }}
{{- end }}
{{- end -}}

{{- /* Where clusters come from: kubeconfigs of Secrets, each in a folder of its own. */ -}}
{{- define "cilium-triage.cluster" -}}
{{- $one := dict -}}
{{- range $ours, $theirs := dict "context" "context" "ciliumNamespace" "cilium_namespace" "source" "source" -}}
{{- with get $.cluster $ours }}{{ $_ := set $one $theirs . }}{{ end -}}
{{- end -}}
{{- with .cluster.kubeconfig -}}
{{- $_ := set $one "kubeconfig" (printf "/etc/cilium-triage/clusters/%s/%s" $.cluster.name (default "config" .key)) -}}
{{- end -}}
{{- $one | toJson -}}
{{- end -}}

{{- define "cilium-triage.clusterSettings" -}}
{{- $settings := dict -}}
{{- if .several -}}
{{- $all := dict -}}
{{- range .clusters -}}{{- $_ := set $all .name (include "cilium-triage.cluster" (dict "cluster" .) | fromJson) -}}{{- end -}}
{{- $_ := set $settings "clusters" $all -}}
{{- else -}}
{{- range .clusters -}}
{{- range $name, $value := include "cilium-triage.cluster" (dict "cluster" .) | fromJson -}}
{{- $_ := set $settings (ternary "ciliumNamespace" $name (eq $name "cilium_namespace")) $value -}}
{{- end -}}
{{- $_ := set $settings "cluster" .name -}}
{{- end -}}
{{- end -}}
{{- $settings | toJson -}}
{{- end -}}
