/**
 * Where strategic merge patches merge lists by key, out of the OpenAPI of Kubernetes v1.21.2, which kustomize v5.8 has built in
 * (kyaml openapi/kubernetesapi, Apache-2.0). A line is: definition, its kinds (`apiVersion|Kind;...` or `-`), then its fields:
 * `name.Ref`, `name[]ItemRef`, `name*ValueRef`, with `=key,key` where the list is merged. Only fields that lead to such a list are
 * kept. `~ ^ % +` stand for the four long prefixes.
 */
export const BUILTIN_DEFINITIONS: string = `
~admissionregistration.v1.MutatingWebhook - namespaceSelector.^v1.LabelSelector objectSelector.^v1.LabelSelector
~admissionregistration.v1.MutatingWebhookConfiguration admissionregistration.k8s.io/v1|MutatingWebhookConfiguration metadata.^v1.ObjectMeta webhooks[]~admissionregistration.v1.MutatingWebhook=name
~admissionregistration.v1.ValidatingWebhook - namespaceSelector.^v1.LabelSelector objectSelector.^v1.LabelSelector
~admissionregistration.v1.ValidatingWebhookConfiguration admissionregistration.k8s.io/v1|ValidatingWebhookConfiguration metadata.^v1.ObjectMeta webhooks[]~admissionregistration.v1.ValidatingWebhook=name
~admissionregistration.v1beta1.MutatingWebhook - namespaceSelector.^v1.LabelSelector objectSelector.^v1.LabelSelector
~admissionregistration.v1beta1.MutatingWebhookConfiguration admissionregistration.k8s.io/v1beta1|MutatingWebhookConfiguration metadata.^v1.ObjectMeta webhooks[]~admissionregistration.v1beta1.MutatingWebhook=name
~admissionregistration.v1beta1.ValidatingWebhook - namespaceSelector.^v1.LabelSelector objectSelector.^v1.LabelSelector
~admissionregistration.v1beta1.ValidatingWebhookConfiguration admissionregistration.k8s.io/v1beta1|ValidatingWebhookConfiguration metadata.^v1.ObjectMeta webhooks[]~admissionregistration.v1beta1.ValidatingWebhook=name
~apps.v1.ControllerRevision apps/v1|ControllerRevision metadata.^v1.ObjectMeta
~apps.v1.DaemonSet apps/v1|DaemonSet metadata.^v1.ObjectMeta spec.~apps.v1.DaemonSetSpec status.~apps.v1.DaemonSetStatus
~apps.v1.DaemonSetSpec - selector.^v1.LabelSelector template.~core.v1.PodTemplateSpec
~apps.v1.DaemonSetStatus - conditions[]=type
~apps.v1.Deployment apps/v1|Deployment metadata.^v1.ObjectMeta spec.~apps.v1.DeploymentSpec status.~apps.v1.DeploymentStatus
~apps.v1.DeploymentSpec - selector.^v1.LabelSelector template.~core.v1.PodTemplateSpec
~apps.v1.DeploymentStatus - conditions[]=type
~apps.v1.Kustomization kustomize.config.k8s.io/v1beta1|Kustomization configMapGenerator[]=name secretGenerator[]=name
~apps.v1.ReplicaSet apps/v1|ReplicaSet metadata.^v1.ObjectMeta spec.~apps.v1.ReplicaSetSpec status.~apps.v1.ReplicaSetStatus
~apps.v1.ReplicaSetSpec - selector.^v1.LabelSelector template.~core.v1.PodTemplateSpec
~apps.v1.ReplicaSetStatus - conditions[]=type
~apps.v1.StatefulSet apps/v1|StatefulSet metadata.^v1.ObjectMeta spec.~apps.v1.StatefulSetSpec status.~apps.v1.StatefulSetStatus
~apps.v1.StatefulSetSpec - selector.^v1.LabelSelector template.~core.v1.PodTemplateSpec volumeClaimTemplates[]~core.v1.PersistentVolumeClaim
~apps.v1.StatefulSetStatus - conditions[]=type
~authentication.v1.TokenRequest authentication.k8s.io/v1|TokenRequest metadata.^v1.ObjectMeta
~authentication.v1.TokenReview authentication.k8s.io/v1|TokenReview metadata.^v1.ObjectMeta
~authentication.v1beta1.TokenReview authentication.k8s.io/v1beta1|TokenReview metadata.^v1.ObjectMeta
~authorization.v1.LocalSubjectAccessReview authorization.k8s.io/v1|LocalSubjectAccessReview metadata.^v1.ObjectMeta
~authorization.v1.SelfSubjectAccessReview authorization.k8s.io/v1|SelfSubjectAccessReview metadata.^v1.ObjectMeta
~authorization.v1.SelfSubjectRulesReview authorization.k8s.io/v1|SelfSubjectRulesReview metadata.^v1.ObjectMeta
~authorization.v1.SubjectAccessReview authorization.k8s.io/v1|SubjectAccessReview metadata.^v1.ObjectMeta
~authorization.v1beta1.LocalSubjectAccessReview authorization.k8s.io/v1beta1|LocalSubjectAccessReview metadata.^v1.ObjectMeta
~authorization.v1beta1.SelfSubjectAccessReview authorization.k8s.io/v1beta1|SelfSubjectAccessReview metadata.^v1.ObjectMeta
~authorization.v1beta1.SelfSubjectRulesReview authorization.k8s.io/v1beta1|SelfSubjectRulesReview metadata.^v1.ObjectMeta
~authorization.v1beta1.SubjectAccessReview authorization.k8s.io/v1beta1|SubjectAccessReview metadata.^v1.ObjectMeta
~autoscaling.v1.HorizontalPodAutoscaler autoscaling/v1|HorizontalPodAutoscaler metadata.^v1.ObjectMeta
~autoscaling.v1.Scale autoscaling/v1|Scale metadata.^v1.ObjectMeta
~autoscaling.v2beta1.ExternalMetricSource - metricSelector.^v1.LabelSelector
~autoscaling.v2beta1.ExternalMetricStatus - metricSelector.^v1.LabelSelector
~autoscaling.v2beta1.HorizontalPodAutoscaler autoscaling/v2beta1|HorizontalPodAutoscaler metadata.^v1.ObjectMeta spec.~autoscaling.v2beta1.HorizontalPodAutoscalerSpec status.~autoscaling.v2beta1.HorizontalPodAutoscalerStatus
~autoscaling.v2beta1.HorizontalPodAutoscalerSpec - metrics[]~autoscaling.v2beta1.MetricSpec
~autoscaling.v2beta1.HorizontalPodAutoscalerStatus - currentMetrics[]~autoscaling.v2beta1.MetricStatus
~autoscaling.v2beta1.MetricSpec - external.~autoscaling.v2beta1.ExternalMetricSource object.~autoscaling.v2beta1.ObjectMetricSource pods.~autoscaling.v2beta1.PodsMetricSource
~autoscaling.v2beta1.MetricStatus - external.~autoscaling.v2beta1.ExternalMetricStatus object.~autoscaling.v2beta1.ObjectMetricStatus pods.~autoscaling.v2beta1.PodsMetricStatus
~autoscaling.v2beta1.ObjectMetricSource - selector.^v1.LabelSelector
~autoscaling.v2beta1.ObjectMetricStatus - selector.^v1.LabelSelector
~autoscaling.v2beta1.PodsMetricSource - selector.^v1.LabelSelector
~autoscaling.v2beta1.PodsMetricStatus - selector.^v1.LabelSelector
~autoscaling.v2beta2.ExternalMetricSource - metric.~autoscaling.v2beta2.MetricIdentifier
~autoscaling.v2beta2.ExternalMetricStatus - metric.~autoscaling.v2beta2.MetricIdentifier
~autoscaling.v2beta2.HorizontalPodAutoscaler autoscaling/v2beta2|HorizontalPodAutoscaler metadata.^v1.ObjectMeta spec.~autoscaling.v2beta2.HorizontalPodAutoscalerSpec status.~autoscaling.v2beta2.HorizontalPodAutoscalerStatus
~autoscaling.v2beta2.HorizontalPodAutoscalerSpec - metrics[]~autoscaling.v2beta2.MetricSpec
~autoscaling.v2beta2.HorizontalPodAutoscalerStatus - currentMetrics[]~autoscaling.v2beta2.MetricStatus
~autoscaling.v2beta2.MetricIdentifier - selector.^v1.LabelSelector
~autoscaling.v2beta2.MetricSpec - external.~autoscaling.v2beta2.ExternalMetricSource object.~autoscaling.v2beta2.ObjectMetricSource pods.~autoscaling.v2beta2.PodsMetricSource
~autoscaling.v2beta2.MetricStatus - external.~autoscaling.v2beta2.ExternalMetricStatus object.~autoscaling.v2beta2.ObjectMetricStatus pods.~autoscaling.v2beta2.PodsMetricStatus
~autoscaling.v2beta2.ObjectMetricSource - metric.~autoscaling.v2beta2.MetricIdentifier
~autoscaling.v2beta2.ObjectMetricStatus - metric.~autoscaling.v2beta2.MetricIdentifier
~autoscaling.v2beta2.PodsMetricSource - metric.~autoscaling.v2beta2.MetricIdentifier
~autoscaling.v2beta2.PodsMetricStatus - metric.~autoscaling.v2beta2.MetricIdentifier
~batch.v1.CronJob batch/v1|CronJob metadata.^v1.ObjectMeta spec.~batch.v1.CronJobSpec
~batch.v1.CronJobSpec - jobTemplate.~batch.v1.JobTemplateSpec
~batch.v1.Job batch/v1|Job metadata.^v1.ObjectMeta spec.~batch.v1.JobSpec status.~batch.v1.JobStatus
~batch.v1.JobSpec - selector.^v1.LabelSelector template.~core.v1.PodTemplateSpec
~batch.v1.JobStatus - conditions[]=type
~batch.v1.JobTemplateSpec - metadata.^v1.ObjectMeta spec.~batch.v1.JobSpec
~batch.v1beta1.CronJob batch/v1beta1|CronJob metadata.^v1.ObjectMeta spec.~batch.v1beta1.CronJobSpec
~batch.v1beta1.CronJobSpec - jobTemplate.~batch.v1beta1.JobTemplateSpec
~batch.v1beta1.JobTemplateSpec - metadata.^v1.ObjectMeta spec.~batch.v1.JobSpec
~certificates.v1.CertificateSigningRequest certificates.k8s.io/v1|CertificateSigningRequest metadata.^v1.ObjectMeta
~certificates.v1beta1.CertificateSigningRequest certificates.k8s.io/v1beta1|CertificateSigningRequest metadata.^v1.ObjectMeta
~coordination.v1.Lease coordination.k8s.io/v1|Lease metadata.^v1.ObjectMeta
~coordination.v1beta1.Lease coordination.k8s.io/v1beta1|Lease metadata.^v1.ObjectMeta
~core.v1.Affinity - podAffinity.~core.v1.PodAffinity podAntiAffinity.~core.v1.PodAntiAffinity
~core.v1.Binding v1|Binding metadata.^v1.ObjectMeta
~core.v1.ComponentStatus v1|ComponentStatus conditions[]=type metadata.^v1.ObjectMeta
~core.v1.ConfigMap v1|ConfigMap metadata.^v1.ObjectMeta
~core.v1.Container - env[]=name ports[]=containerPort,protocol volumeDevices[]=devicePath volumeMounts[]=mountPath
~core.v1.Endpoints v1|Endpoints metadata.^v1.ObjectMeta
~core.v1.EphemeralContainer - env[]=name volumeDevices[]=devicePath volumeMounts[]=mountPath
~core.v1.EphemeralVolumeSource - volumeClaimTemplate.~core.v1.PersistentVolumeClaimTemplate
~core.v1.Event v1|Event metadata.^v1.ObjectMeta
~core.v1.LimitRange v1|LimitRange metadata.^v1.ObjectMeta
~core.v1.Namespace v1|Namespace metadata.^v1.ObjectMeta status.~core.v1.NamespaceStatus
~core.v1.NamespaceStatus - conditions[]=type
~core.v1.Node v1|Node metadata.^v1.ObjectMeta spec.~core.v1.NodeSpec status.~core.v1.NodeStatus
~core.v1.NodeSpec - podCIDRs=
~core.v1.NodeStatus - addresses[]=type conditions[]=type
~core.v1.PersistentVolume v1|PersistentVolume metadata.^v1.ObjectMeta
~core.v1.PersistentVolumeClaim v1|PersistentVolumeClaim metadata.^v1.ObjectMeta spec.~core.v1.PersistentVolumeClaimSpec status.~core.v1.PersistentVolumeClaimStatus
~core.v1.PersistentVolumeClaimSpec - selector.^v1.LabelSelector
~core.v1.PersistentVolumeClaimStatus - conditions[]=type
~core.v1.PersistentVolumeClaimTemplate - metadata.^v1.ObjectMeta spec.~core.v1.PersistentVolumeClaimSpec
~core.v1.Pod v1|Pod metadata.^v1.ObjectMeta spec.~core.v1.PodSpec status.~core.v1.PodStatus
~core.v1.PodAffinity - preferredDuringSchedulingIgnoredDuringExecution[]~core.v1.WeightedPodAffinityTerm requiredDuringSchedulingIgnoredDuringExecution[]~core.v1.PodAffinityTerm
~core.v1.PodAffinityTerm - labelSelector.^v1.LabelSelector namespaceSelector.^v1.LabelSelector
~core.v1.PodAntiAffinity - preferredDuringSchedulingIgnoredDuringExecution[]~core.v1.WeightedPodAffinityTerm requiredDuringSchedulingIgnoredDuringExecution[]~core.v1.PodAffinityTerm
~core.v1.PodSpec - affinity.~core.v1.Affinity containers[]~core.v1.Container=name ephemeralContainers[]~core.v1.EphemeralContainer=name hostAliases[]=ip imagePullSecrets[]=name initContainers[]~core.v1.Container=name topologySpreadConstraints[]~core.v1.TopologySpreadConstraint=topologyKey,whenUnsatisfiable volumes[]~core.v1.Volume=name
~core.v1.PodStatus - conditions[]=type podIPs[]=ip
~core.v1.PodTemplate v1|PodTemplate metadata.^v1.ObjectMeta template.~core.v1.PodTemplateSpec
~core.v1.PodTemplateSpec - metadata.^v1.ObjectMeta spec.~core.v1.PodSpec
~core.v1.ReplicationController v1|ReplicationController metadata.^v1.ObjectMeta spec.~core.v1.ReplicationControllerSpec status.~core.v1.ReplicationControllerStatus
~core.v1.ReplicationControllerSpec - template.~core.v1.PodTemplateSpec
~core.v1.ReplicationControllerStatus - conditions[]=type
~core.v1.ResourceQuota v1|ResourceQuota metadata.^v1.ObjectMeta
~core.v1.Secret v1|Secret metadata.^v1.ObjectMeta
~core.v1.Service v1|Service metadata.^v1.ObjectMeta spec.~core.v1.ServiceSpec status.~core.v1.ServiceStatus
~core.v1.ServiceAccount v1|ServiceAccount metadata.^v1.ObjectMeta secrets[]=name
~core.v1.ServiceSpec - ports[]=port,protocol
~core.v1.ServiceStatus - conditions[]=type
~core.v1.TopologySpreadConstraint - labelSelector.^v1.LabelSelector
~core.v1.Volume - ephemeral.~core.v1.EphemeralVolumeSource
~core.v1.WeightedPodAffinityTerm - podAffinityTerm.~core.v1.PodAffinityTerm
~discovery.v1.EndpointSlice discovery.k8s.io/v1|EndpointSlice metadata.^v1.ObjectMeta
~discovery.v1beta1.EndpointSlice discovery.k8s.io/v1beta1|EndpointSlice metadata.^v1.ObjectMeta
~events.v1.Event events.k8s.io/v1|Event metadata.^v1.ObjectMeta
~events.v1beta1.Event events.k8s.io/v1beta1|Event metadata.^v1.ObjectMeta
~extensions.v1beta1.Ingress extensions/v1beta1|Ingress metadata.^v1.ObjectMeta
~flowcontrol.v1beta1.FlowSchema flowcontrol.apiserver.k8s.io/v1beta1|FlowSchema metadata.^v1.ObjectMeta
~flowcontrol.v1beta1.PriorityLevelConfiguration flowcontrol.apiserver.k8s.io/v1beta1|PriorityLevelConfiguration metadata.^v1.ObjectMeta
~networking.v1.Ingress networking.k8s.io/v1|Ingress metadata.^v1.ObjectMeta
~networking.v1.IngressClass networking.k8s.io/v1|IngressClass metadata.^v1.ObjectMeta
~networking.v1.NetworkPolicy networking.k8s.io/v1|NetworkPolicy metadata.^v1.ObjectMeta spec.~networking.v1.NetworkPolicySpec
~networking.v1.NetworkPolicyEgressRule - to[]~networking.v1.NetworkPolicyPeer
~networking.v1.NetworkPolicyIngressRule - from[]~networking.v1.NetworkPolicyPeer
~networking.v1.NetworkPolicyPeer - namespaceSelector.^v1.LabelSelector podSelector.^v1.LabelSelector
~networking.v1.NetworkPolicySpec - egress[]~networking.v1.NetworkPolicyEgressRule ingress[]~networking.v1.NetworkPolicyIngressRule podSelector.^v1.LabelSelector
~networking.v1beta1.Ingress networking.k8s.io/v1beta1|Ingress metadata.^v1.ObjectMeta
~networking.v1beta1.IngressClass networking.k8s.io/v1beta1|IngressClass metadata.^v1.ObjectMeta
~node.v1.RuntimeClass node.k8s.io/v1|RuntimeClass metadata.^v1.ObjectMeta
~node.v1beta1.RuntimeClass node.k8s.io/v1beta1|RuntimeClass metadata.^v1.ObjectMeta
~policy.v1.PodDisruptionBudget policy/v1|PodDisruptionBudget metadata.^v1.ObjectMeta spec.~policy.v1.PodDisruptionBudgetSpec status.~policy.v1.PodDisruptionBudgetStatus
~policy.v1.PodDisruptionBudgetSpec - selector.^v1.LabelSelector
~policy.v1.PodDisruptionBudgetStatus - conditions[]=type
~policy.v1beta1.Eviction policy/v1beta1|Eviction metadata.^v1.ObjectMeta
~policy.v1beta1.PodDisruptionBudget policy/v1beta1|PodDisruptionBudget metadata.^v1.ObjectMeta spec.~policy.v1beta1.PodDisruptionBudgetSpec status.~policy.v1beta1.PodDisruptionBudgetStatus
~policy.v1beta1.PodDisruptionBudgetSpec - selector.^v1.LabelSelector
~policy.v1beta1.PodDisruptionBudgetStatus - conditions[]=type
~policy.v1beta1.PodSecurityPolicy policy/v1beta1|PodSecurityPolicy metadata.^v1.ObjectMeta
~rbac.v1.AggregationRule - clusterRoleSelectors[]^v1.LabelSelector
~rbac.v1.ClusterRole rbac.authorization.k8s.io/v1|ClusterRole aggregationRule.~rbac.v1.AggregationRule metadata.^v1.ObjectMeta
~rbac.v1.ClusterRoleBinding rbac.authorization.k8s.io/v1|ClusterRoleBinding metadata.^v1.ObjectMeta
~rbac.v1.Role rbac.authorization.k8s.io/v1|Role metadata.^v1.ObjectMeta
~rbac.v1.RoleBinding rbac.authorization.k8s.io/v1|RoleBinding metadata.^v1.ObjectMeta
~rbac.v1beta1.AggregationRule - clusterRoleSelectors[]^v1.LabelSelector
~rbac.v1beta1.ClusterRole rbac.authorization.k8s.io/v1beta1|ClusterRole aggregationRule.~rbac.v1beta1.AggregationRule metadata.^v1.ObjectMeta
~rbac.v1beta1.ClusterRoleBinding rbac.authorization.k8s.io/v1beta1|ClusterRoleBinding metadata.^v1.ObjectMeta
~rbac.v1beta1.Role rbac.authorization.k8s.io/v1beta1|Role metadata.^v1.ObjectMeta
~rbac.v1beta1.RoleBinding rbac.authorization.k8s.io/v1beta1|RoleBinding metadata.^v1.ObjectMeta
~scheduling.v1.PriorityClass scheduling.k8s.io/v1|PriorityClass metadata.^v1.ObjectMeta
~scheduling.v1beta1.PriorityClass scheduling.k8s.io/v1beta1|PriorityClass metadata.^v1.ObjectMeta
~storage.v1.CSIDriver storage.k8s.io/v1|CSIDriver metadata.^v1.ObjectMeta
~storage.v1.CSINode storage.k8s.io/v1|CSINode metadata.^v1.ObjectMeta spec.~storage.v1.CSINodeSpec
~storage.v1.CSINodeSpec - drivers[]=name
~storage.v1.StorageClass storage.k8s.io/v1|StorageClass metadata.^v1.ObjectMeta
~storage.v1.VolumeAttachment storage.k8s.io/v1|VolumeAttachment metadata.^v1.ObjectMeta
~storage.v1beta1.CSIDriver storage.k8s.io/v1beta1|CSIDriver metadata.^v1.ObjectMeta
~storage.v1beta1.CSINode storage.k8s.io/v1beta1|CSINode metadata.^v1.ObjectMeta spec.~storage.v1beta1.CSINodeSpec
~storage.v1beta1.CSINodeSpec - drivers[]=name
~storage.v1beta1.CSIStorageCapacity storage.k8s.io/v1beta1|CSIStorageCapacity metadata.^v1.ObjectMeta nodeTopology.^v1.LabelSelector
~storage.v1beta1.StorageClass storage.k8s.io/v1beta1|StorageClass metadata.^v1.ObjectMeta
~storage.v1beta1.VolumeAttachment storage.k8s.io/v1beta1|VolumeAttachment metadata.^v1.ObjectMeta
%apiextensions.v1.CustomResourceDefinition apiextensions.k8s.io/v1|CustomResourceDefinition metadata.^v1.ObjectMeta
%apiextensions.v1beta1.CustomResourceDefinition apiextensions.k8s.io/v1beta1|CustomResourceDefinition metadata.^v1.ObjectMeta
^v1.LabelSelector - matchExpressions[]^v1.LabelSelectorRequirement
^v1.LabelSelectorRequirement - key=key
^v1.ObjectMeta - finalizers= ownerReferences[]=uid
+apiregistration.v1.APIService apiregistration.k8s.io/v1|APIService metadata.^v1.ObjectMeta status.+apiregistration.v1.APIServiceStatus
+apiregistration.v1.APIServiceStatus - conditions[]=type
+apiregistration.v1beta1.APIService apiregistration.k8s.io/v1beta1|APIService metadata.^v1.ObjectMeta status.+apiregistration.v1beta1.APIServiceStatus
+apiregistration.v1beta1.APIServiceStatus - conditions[]=type
`;
