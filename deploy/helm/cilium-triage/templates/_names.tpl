{{- define "cilium-triage.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What tells the pods of a component from others: a list of the root and the component's name. */ -}}
{{- define "cilium-triage.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "cilium-triage.labels" -}}
{{- $root := index . 0 -}}
{{ include "cilium-triage.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Name, namespace and labels of an object: the root, its component, what its name ends with. */ -}}
{{- define "cilium-triage.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "cilium-triage.fullname" $root }}{{ with index . 2 }}-{{ . }}{{ end }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "cilium-triage.labels" . | nindent 2 }}
{{- end -}}

{{- define "cilium-triage.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end }}
{{- end -}}

{{- define "cilium-triage.workerAccount" -}}
{{- default (printf "%s-worker" (include "cilium-triage.fullname" .)) .Values.serviceAccount.worker.name -}}
{{- end -}}

{{- /* The Deployments of workers, as JSON: a list of names, each with the clusters that it looks at. */ -}}
{{- define "cilium-triage.workers" -}}
{{- $each := list -}}
{{- if and .Values.clusters (eq .Values.worker.deployments "each") -}}
{{- range .Values.clusters -}}
{{- $each = append $each (dict "suffix" (printf "worker-%s" .name) "clusters" (list .) "cluster" .name "several" false) -}}
{{- end -}}
{{- else -}}
{{- $each = append $each (dict "suffix" "worker" "clusters" .Values.clusters "cluster" "" "several" (not (empty .Values.clusters))) -}}
{{- end -}}
{{- dict "each" $each | toJson -}}
{{- end -}}

{{- define "cilium-triage.worker.grace" -}}
{{- $worker := .Values.settings.worker -}}
{{- $longest := addf (get $worker "softLimit" | default 40) (get $worker "grace" | default 10) | ceil | int -}}
{{- $said := .Values.worker.terminationGracePeriodSeconds -}}
{{- if and $said (le (int $said) $longest) -}}
{{- fail (printf "worker.terminationGracePeriodSeconds is %d: it has to be more than the longest question, settings.worker.softLimit and grace together (%d)" (int $said) $longest) -}}
{{- end -}}
{{- $said | default (add $longest 10) -}}
{{- end -}}
