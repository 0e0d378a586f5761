"""The journeys people lived."""

from desireline.journeys.flow import flow, flow_people
from desireline.journeys.flow_picture import flow_picture
from desireline.journeys.flow_values import Flow, FlowLink, FlowNode
from desireline.journeys.funnel import funnel, funnel_people
from desireline.journeys.lived import lived_flow, lived_people
from desireline.journeys.lived_picture import lived_picture
from desireline.journeys.lived_values import Lane, LivedFlow, LivedLink, LivedStep
from desireline.journeys.relationship import LivedJourney, Relationship, relationship
from desireline.journeys.relationship_picture import relationship_picture
from desireline.journeys.retention import retention
from desireline.journeys.run import STEPS, write_journeys
from desireline.journeys.spans import ENDINGS, GapRule, JourneyRule, MapRule
from desireline.journeys.stitch import Journeys, journeys_table, stitch
from desireline.journeys.svg import standalone
from desireline.journeys.transitions import transitions
from desireline.journeys.variants import Variants, variants
from desireline.journeys.warm import warm
from desireline.vocabulary.which import Which

__all__ = [
    "ENDINGS",
    "STEPS",
    "Flow",
    "FlowLink",
    "FlowNode",
    "GapRule",
    "JourneyRule",
    "Journeys",
    "Lane",
    "LivedFlow",
    "LivedJourney",
    "LivedLink",
    "LivedStep",
    "MapRule",
    "Relationship",
    "Variants",
    "Which",
    "flow",
    "flow_people",
    "flow_picture",
    "funnel",
    "funnel_people",
    "journeys_table",
    "lived_flow",
    "lived_people",
    "lived_picture",
    "relationship",
    "relationship_picture",
    "retention",
    "standalone",
    "stitch",
    "transitions",
    "variants",
    "warm",
    "write_journeys",
]
